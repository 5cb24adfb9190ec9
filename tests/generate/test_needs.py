import pytest

from morphface.core.errors import ParameterError
from morphface.generate import GENERATORS, NEEDS, Needs, check_photos, config_of, needs_of


def test_every_kind_says_what_it_needs():
    assert set(NEEDS) == set(GENERATORS) - {"implicit", "depth"}  # which make no frames
    for kind in NEEDS:
        assert needs_of(kind).maps == bool(config_of(kind).maps)
        assert needs_of(config_of(kind)) == needs_of(kind)
        assert needs_of(kind).fit == (kind != "lia")


def test_dagan_needs_what_it_has_not_learned():
    def needs(**options):
        return needs_of(config_of("dagan", **options))

    assert needs() == Needs(photos=1, points=True)
    assert needs(depth="learned") == Needs(maps=False, photos=1, points=True)
    assert needs(keypoints="learned") == Needs(photos=1, driving=True)
    both = needs(keypoints="learned", depth="learned")
    assert both == needs_of("lia")
    assert not both.fit


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
