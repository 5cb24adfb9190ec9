"""A fit that is read back is the fit: the same pictures come of it."""

import shutil
from dataclasses import fields, is_dataclass, replace

import pytest
import torch

from morphface.core.errors import MissingFileError, NoFaceError, ParameterError
from morphface.media import read_image, write_image
from morphface.parameters import load_parameters, save_parameters
from morphface.pipelines import edit_photo, fit_photo, reconstruct
from morphface.pipelines.head_files import rigged_head
from morphface.pipelines.kept import is_kept
from morphface.pipelines.reconstruct import Writing, write_seen
from morphface.ui.session.pictures import Painter
from tests.fit.detail.photos import waves
from tests.pipelines.family import album_of


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A photo, the folder of its fit, and the fit."""
    place = tmp_path_factory.mktemp("kept")
    with album_of(place) as album:
        reconstruct(album[1], place / "fit", only=["parameters"])
        found = fit_photo(album[1])
        yield album[1], place / "fit", found


def same(a, b, where="fit"):
    """Whether two values are equal, tensor by tensor."""
    if is_dataclass(a):
        for field in fields(a):
            same(getattr(a, field.name), getattr(b, field.name), f"{where}.{field.name}")
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype, where
        assert torch.equal(a, b), where
    elif isinstance(a, tuple | list):
        assert len(a) == len(b), where
        for k, pair in enumerate(zip(a, b, strict=True)):
            same(*pair, f"{where}[{k}]")
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            same(a[key], b[key], f"{where}[{key}]")
    else:
        assert a == b, where


def test_all_that_was_fitted_comes_back_bit_by_bit(fitted):
    _, folder, found = fitted
    again = fit_photo(folder)
    for name in ("fit", "pixels", "verdict"):
        same(getattr(found.faces[0], name), getattr(again.faces[0], name), name)
    assert torch.equal(found.photo.to_uint8(), again.photo.to_uint8())
    assert again.faces[0].model is found.faces[0].model
    assert is_kept(folder / "face.npz")
    assert not is_kept(folder / "face.png")


def test_an_edit_of_a_fit_is_the_edit_of_its_photo(fitted, tmp_path):
    photo, folder, _ = fitted
    changes = {"preset": "smile"}
    pictures = [
        read_image(edit_photo(source, tmp_path / name, changes=changes)).pixels
        for source, name in ((photo, "a.png"), (folder / "face.npz", "b.png"))
    ]
    assert torch.equal(*pictures)


def test_relief_comes_back_bit_by_bit_in_a_small_file_and_is_seen_again(fitted, tmp_path):
    _, folder, found = fitted
    face = replace(found.faces[0], detail=waves(found.faces[0].model))
    job = Writing(face, found.photo, "a.png", None, frozenset(["parameters"]))
    write_seen(tmp_path, job)
    again = fit_photo(tmp_path)
    for name in ("detail", "fit", "pixels"):
        same(getattr(face, name), getattr(again.faces[0], name), name)
    more = (tmp_path / "face.npz").stat().st_size - (folder / "face.npz").stat().st_size
    assert more < sum(value.numel() for value in vars(face.detail).values()) * 4
    relief = rigged_head(again.faces[0], again.photo).relief
    torch.testing.assert_close(relief, 0.5 + 0.5 * face.detail.normals)
    with_, without = Painter(again), Painter(found)
    assert with_.views == (*without.views, "detail")
    drawn = [each.draw("normal", face.parameters)[0] for each in (with_, without)]
    assert float((drawn[0] - drawn[1]).abs().max()) > 0.02
    heights = with_.draw("detail", face.parameters)[0]
    assert float(heights.max()) > 0.5


def test_a_photo_that_moved_with_its_fit_is_found_beside_it(fitted, tmp_path):
    photo, folder, _ = fitted
    shutil.copy(folder / "face.npz", tmp_path / "face.npz")
    shutil.copy(photo, tmp_path)
    parameters, camera, header = load_parameters(tmp_path / "face.npz")
    assert header["extra"]["fit"]["photo"] == str(photo)
    save_parameters(tmp_path / "plain.npz", parameters, camera, model="open-head")
    with pytest.raises(ParameterError, match="holds parameters alone"):
        fit_photo(tmp_path / "plain.npz")
    assert fit_photo(tmp_path).photo.size == camera.size


@pytest.mark.refusal
def test_another_photo_another_face_and_wishes_are_refused(fitted, tmp_path):
    photo, folder, _ = fitted
    with pytest.raises(ParameterError, match="is a fit already: leave out landmarks, focal and"):
        fit_photo(folder, focal="50mm")
    with pytest.raises(NoFaceError, match="there is no face 3: the fit has 1, counted from 0"):
        fit_photo(folder, faces=3)
    before = read_image(photo).pixels
    try:
        write_image(photo, 1 - before)
        with pytest.raises(ParameterError, match="is not the picture that .*face.npz was fitted"):
            fit_photo(folder)
    finally:
        write_image(photo, before)


@pytest.mark.refusal
def test_a_fit_without_its_photo_says_where_that_was(fitted, tmp_path):
    parameters, camera, header = load_parameters(fitted[1] / "face.npz")
    extra = {"fit": header["extra"]["fit"] | {"photo": "/nowhere/a.png"}}
    save_parameters(tmp_path / "face.npz", parameters, camera, model="open-head", extra=extra)
    with pytest.raises(MissingFileError, match="was fitted to is not there: /nowhere/a.png; put"):
        fit_photo(tmp_path)


@pytest.mark.refusal
def test_of_the_fits_of_several_photos_one_is_to_be_named(fitted, tmp_path):
    for number in range(2):
        shutil.copytree(fitted[1], tmp_path / f"photo_{number}")
    with pytest.raises(ParameterError, match="holds fits of 2 photos; name one of them, such as"):
        fit_photo(tmp_path)
    assert len(fit_photo(tmp_path / "photo_1").faces) == 1
