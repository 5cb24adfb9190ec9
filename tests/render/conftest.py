"""Fixtures of the tests of rendering."""

import pytest

from tests.render.contract import HOMES, KINDS, Draw


def _label(kind):
    name, dtype = kind
    return f"{name}-{str(dtype).removeprefix('torch.')}"


@pytest.fixture(params=KINDS, ids=_label)
def draw(request):
    name, dtype = request.param
    return Draw(name, dtype, HOMES[name])


@pytest.fixture(params=[kind for kind in KINDS if kind[0] != "reference"], ids=_label)
def rival(request):
    """Draws by anything but `reference`."""
    name, dtype = request.param
    return Draw(name, dtype, HOMES[name])
