"""Fixtures of the whole suite."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # of several processes, each has a core
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch

from tests.known_head import known
from tests.toy import toy_model

__all__ = ["known"]


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def toy():
    return toy_model()
