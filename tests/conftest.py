"""Fixtures of the whole suite."""

import pytest
import torch

from tests.toy import toy_model


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def toy():
    return toy_model()
