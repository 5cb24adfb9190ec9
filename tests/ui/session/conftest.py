"""A known head that is edited; nothing is detected or fitted."""

import pytest

from morphface.ui.session import Session
from tests.pipelines.conftest import known

__all__ = ["known", "session"]


@pytest.fixture
def session(known):
    """A session of its own for each test, all on one fit; the mesh is quickest to draw."""
    made = Session.of(known)
    assert made.handle({"do": "view", "name": "mesh"}).error is None
    return made
