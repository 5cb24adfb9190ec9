import pytest
from PIL import ExifTags, Image

from morphface.media.exif import stated_focal
from morphface.media.images import read_image

FILM = (36**2 + 24**2) ** 0.5
NAMED = {"Make": "NIKON CORPORATION", "Model": "NIKON D90"}  # 23.5 x 15.6 mm, as all Nikon DX
BY_NAME = 50 * 500 / (23.5**2 + 15.6**2) ** 0.5  # pixels of a 50 mm lens on a diagonal of 500


def exif_of(**tags):
    exif = Image.Exif()
    inside = exif.get_ifd(ExifTags.IFD.Exif)
    for name, value in tags.items():
        home = exif if name in ("Make", "Model", "Orientation") else inside
        home[ExifTags.Base[name]] = value
    return exif


@pytest.fixture
def focal_of(tmp_path):
    """What is read from a picture with some entries; its diagonal is 500 pixels."""

    def read(**tags):
        path = tmp_path / "a.jpg"
        Image.new("RGB", (400, 300)).save(path, exif=exif_of(**tags))
        return read_image(path).focal

    return read


@pytest.mark.parametrize("orientation", [1, 6])
def test_35mm_focal_length_spans_the_diagonal_of_film(focal_of, orientation):
    focal = focal_of(FocalLengthIn35mmFilm=43, Orientation=orientation)
    assert focal == pytest.approx(43 / FILM * 500)


DENSITY = {
    "FocalLength": 50.0,
    "FocalPlaneXResolution": 1000.0,
    "FocalPlaneResolutionUnit": 3,
    "ExifImageWidth": 800,
    "ExifImageHeight": 600,
}


def test_focal_plane_resolution_gives_pixels_of_a_resized_picture(focal_of):
    assert focal_of(**DENSITY) == pytest.approx(50 * 100 / 2)


def test_the_name_of_the_camera_gives_the_size_of_its_sensor(focal_of):
    assert focal_of(FocalLength=50.0, **NAMED) == pytest.approx(BY_NAME, rel=1e-3)


def test_the_surest_source_counts(focal_of):
    assert focal_of(FocalLengthIn35mmFilm=43, **DENSITY, **NAMED) == pytest.approx(43 / FILM * 500)
    assert focal_of(**DENSITY, **NAMED) == pytest.approx(50 * 100 / 2)


@pytest.mark.parametrize("bad", [0, 60000, 2])
def test_an_absurd_source_gives_way_to_the_next(focal_of, bad):
    assert focal_of(FocalLengthIn35mmFilm=bad, **DENSITY) == pytest.approx(50 * 100 / 2)


def test_digital_zoom_lengthens_what_does_not_include_it(focal_of):
    assert focal_of(FocalLength=50.0, DigitalZoomRatio=2.0, **NAMED) == pytest.approx(
        2 * BY_NAME, rel=1e-3
    )
    assert focal_of(**DENSITY, DigitalZoomRatio=1.5) == pytest.approx(1.5 * 50 * 100 / 2)
    zoomed = focal_of(FocalLengthIn35mmFilm=86, DigitalZoomRatio=2.0)
    assert zoomed == pytest.approx(86 / FILM * 500)


@pytest.mark.parametrize("zoom", [0.0, 0.5, 1.0, 1e6])
def test_a_zoom_that_is_none_changes_nothing(focal_of, zoom):
    focal = focal_of(FocalLength=50.0, DigitalZoomRatio=zoom, **NAMED)
    assert focal == pytest.approx(BY_NAME, rel=1e-3)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"FocalLengthIn35mmFilm": 0},
        {"FocalLength": 50.0},
        {"FocalLength": 50.0, "Make": "Nobody", "Model": "Box 1"},
        {"FocalLengthIn35mmFilm": 60000},
        {"FocalLengthIn35mmFilm": 1},
        {"FocalLength": 9000.0, **NAMED},
        {"FocalLengthIn35mmFilm": 50, "ExifImageWidth": 400, "ExifImageHeight": 400},
        {"FocalLength": 50.0, "ExifImageWidth": 600, "ExifImageHeight": 400, **NAMED},
    ],
)
def test_focal_length_is_unknown_when_exif_is_silent_cropped_or_absurd(focal_of, tags):
    assert focal_of(**tags) is None


@pytest.mark.parametrize("value", [-35, float("inf"), float("nan"), "wide", b"\xff", None, (1, 2)])
def test_nonsense_is_not_stated(value):
    tags = ExifTags.Base
    for tag in (tags.FocalLengthIn35mmFilm, tags.FocalLength, tags.FocalPlaneXResolution):
        exif = {tags.FocalLength: 50.0, tags.FocalPlaneXResolution: 0.0, tag: value}
        assert stated_focal(exif, (300, 400)) is None
    odd = {tags.FocalLength: 50.0, tags.Make: value, tags.Model: value}
    assert stated_focal(odd, (300, 400)) is None


def test_a_picture_turned_on_its_side_was_not_cropped(focal_of):
    sizes = {"ExifImageWidth": 300, "ExifImageHeight": 400}
    assert focal_of(FocalLengthIn35mmFilm=43, **sizes) == pytest.approx(43 / FILM * 500)
