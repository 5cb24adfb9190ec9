import pytest

from morphface.synthetic import SyntheticPeople


@pytest.fixture(scope="session")
def people():
    return SyntheticPeople(3, 64, frames=3)
