from dataclasses import replace

import pytest

from morphface.fit.analysis.settings import PhotometricSettings, Stage
from morphface.fit.video import VideoSettings
from tests.toy import toy_model

QUICK = VideoSettings(
    focal=150.0,
    points=250,
    key_frames=3,
    first_frames=5,
    look_every=1,
    confirm=False,
    photometric=PhotometricSettings(stages=(Stage(4.0, 600, 8),)),
)


@pytest.fixture(scope="session")
def model():
    return toy_model()


@pytest.fixture
def quick():
    return QUICK


@pytest.fixture
def linear():
    return replace(QUICK, stage="linear")
