import math

import pytest

from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera
from morphface.geometry.focal import believable, check_focal, film_to_pixels, focal_pixels

FILM = (2400, 3600)  # pixels of 0.01 mm
SIZE = (300, 400)


def test_film_has_its_own_length_in_pixels_of_film():
    for millimetres in (14.0, 50.0, 135.0):
        assert film_to_pixels(millimetres, FILM) == pytest.approx(100 * millimetres)


@pytest.mark.parametrize("size", [(300, 400), (400, 300), (512, 512), (90, 1600)])
def test_an_equivalent_sees_the_same_angle_from_corner_to_corner(size):
    def angle(focal, diagonal):
        return 2 * math.atan(diagonal / 2 / focal)

    pixels = focal_pixels("85mm", size)
    assert angle(pixels, math.hypot(*size)) == pytest.approx(angle(85, math.hypot(36, 24)))


@pytest.mark.parametrize(
    ("said", "pixels"),
    [
        (512, 512.0),
        (512.5, 512.5),
        ("512", 512.0),
        (" 512.5 px ", 512.5),
        ("5.125e2", 512.5),
        ("50mm", 50 / math.hypot(36, 24) * 500),
        ("50 MM", 50 / math.hypot(36, 24) * 500),
        ("27.5mm", 27.5 / math.hypot(36, 24) * 500),
        (80, 80.0),
        (20000, 20000.0),
    ],
)
def test_what_people_write_is_understood(said, pixels):
    check_focal(said)
    assert focal_pixels(said, SIZE) == pytest.approx(pixels)


def test_no_wish_is_none():
    check_focal(None)


def test_the_ends_of_the_range_are_believed_after_a_camera_kept_them():
    for times in (0.2, 50.0):
        kept = float(Camera.facing((299, 397), focal=times * 397).focal)
        assert believable(kept, (299, 397))
    assert not believable(0.199 * 400, SIZE)
    assert not believable(50.1 * 400, SIZE)


NOT_LENGTHS = [
    0, -3.0, math.nan, math.inf, -math.inf, "0", "-50mm", "nan", "nanmm", "infmm", "abcmm", "mm",
    "", "50cm", "50mmm", "1.2.3", ".", "1e", "50 50", "1e999",
]  # fmt: skip


@pytest.mark.refusal
@pytest.mark.parametrize("said", NOT_LENGTHS)
def test_what_is_no_length_is_refused_with_the_range(said):
    message = (
        "focal must be 0.2 to 50 times the picture's longer side in pixels, as 1200, "
        "or a 35-mm equivalent in that range, as 50mm, got "
    )
    for refuse in (check_focal, lambda focal: focal_pixels(focal, SIZE)):
        with pytest.raises(ParameterError) as caught:
            refuse(said)
        assert str(caught.value) == message + (repr(said) if isinstance(said, str) else f"{said:g}")


@pytest.mark.refusal
@pytest.mark.parametrize("said", [1e12, 79, 20001, "1e12", "6mm", "1800mm", 1e-30, "1e9mm"])
def test_an_absurd_length_is_refused_with_the_range_here(said):
    shown = repr(said) if isinstance(said, str) else f"{said:g}"
    with pytest.raises(ParameterError) as caught:
        focal_pixels(said, SIZE)
    assert str(caught.value) == (
        "focal must be 0.2 to 50 times the picture's longer side in pixels, as 1200, or a 35-mm "
        "equivalent in that range, as 50mm, here 80 to 20000 pixels or 6.9mm to 1731mm, "
        f"got {shown}"
    )
