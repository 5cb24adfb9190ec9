"""Presets: data that must fit the model and both sides of the face."""

import pytest
import torch

from morphface.edit import ARKIT_NAMES, PRESETS, edit, mirrored, preset
from morphface.edit.openings import openings_of
from morphface.models import load_model
from morphface.parameters import FaceParameters
from tests.edit.clips import column


def test_the_arkit_names_are_those_of_the_open_head():
    assert set(ARKIT_NAMES) == set(load_model("open-head").expression.names)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_arkit_names_and_weights_within_their_bounds(name):
    bounds = load_model("open-head").expression.bounds
    for key, weight in PRESETS[name].items():
        low, high = bounds[column(key)].tolist()
        assert low <= weight <= high


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_symmetric_or_has_a_mirror_image(name):
    other = {"wink_left": "wink_right", "wink_right": "wink_left"}.get(name, name)
    assert mirrored(PRESETS[name]) == PRESETS[other]


def test_mirroring_twice_is_doing_nothing():
    weights = {name: k / 52 for k, name in enumerate(ARKIT_NAMES)}
    assert mirrored(mirrored(weights)) == weights
    assert mirrored({"jawLeft": 1.0}) == {"jawRight": 1.0}


def test_a_mirrored_expression_is_the_mirror_image_of_the_face():
    model = load_model("open-head")
    face = FaceParameters.neutral()
    wink, other = (
        model.vertices(face.identity, edit(face, preset=f"wink_{side}").expression)[0]
        for side in ("left", "right")
    )
    flipped = wink[model.mirror] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(flipped, other, atol=0.5, rtol=0)


def gaps(name):
    face = edit(FaceParameters.neutral(), preset=name)
    return openings_of(face, load_model("open-head"))


def test_presets_do_what_they_say():
    rest = gaps("neutral").gaps[0]
    assert (gaps("blink").gaps[0, :2] < 0).all()
    left, right, _ = gaps("wink_left").gaps[0]
    assert left < 0 < 0.9 * rest[1] < right
    assert (gaps("surprise").gaps[0] > rest + torch.tensor([2.0, 2.0, 5.0])).all()
    assert gaps("viseme_aa").gaps[0, 2] > rest[2] + 5 > gaps("viseme_PP").gaps[0, 2] + 4


def test_strength_scales_a_preset():
    assert preset("smile", 0.5) == {k: 0.5 * w for k, w in PRESETS["smile"].items()}


@pytest.mark.refusal
def test_an_unknown_preset_is_refused_with_what_was_meant():
    with pytest.raises(ValueError, match="no preset is called 'suprise': did you mean surprise"):
        preset("suprise")
