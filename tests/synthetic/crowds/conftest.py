import pytest

from morphface.synthetic.crowds import render_heads


@pytest.fixture(scope="session")
def few_heads():
    """Three views of one person, small."""
    return render_heads(3, 4, 64)
