import pytest

from morphface.core.errors import ParameterError
from morphface.generate import GENERATORS, NEEDS, check_photos, config_of, needs_of


def test_every_kind_says_what_it_needs():
    assert set(NEEDS) == set(GENERATORS) - {"implicit"}  # which makes no frames
    for kind in NEEDS:
        assert needs_of(kind).maps == bool(config_of(kind).maps)


@pytest.mark.refusal
def test_photos_that_a_kind_does_not_look_at_are_refused():
    check_photos("conr", 7)
    check_photos("lia", 1)
    check_photos("dagan", 1)
    with pytest.raises(ParameterError, match="a lia generator takes one photo, got 3; several are"):
        check_photos("lia", 3)
    with pytest.raises(ParameterError, match="a dvp generator takes no photo, it knows its person"):
        check_photos("dvp", 1)
    with pytest.raises(
        ParameterError, match="kind must be one of conr, dagan, dvp, .*, got 'none'"
    ):
        needs_of("none")
