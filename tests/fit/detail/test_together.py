from dataclasses import replace

import pytest
import roma
import torch

from morphface.core.errors import ParameterError
from morphface.fit import align_faces
from morphface.fit.detail.grid import Grid
from morphface.fit.detail.together import slopes_between, wide_heights
from morphface.fit.detail.views import on_surface
from morphface.geometry.camera import Camera
from tests.fit.detail.photos import correlation, in_the_middle, lamp, photographed

YAWS, SIZE = (-0.4, 0.0, 0.4), 128  # texels, two millimetres each
CAMERA = Camera.facing((440, 440), focal=1100.0)
EVEN = lamp(0.0, 0.3, 0.9, amount=0.1)


@pytest.fixture(scope="module")
def paint(known):
    """Mottle from vertex to vertex."""
    noise = torch.rand(known.faces[0].model.size, 1, generator=torch.Generator().manual_seed(1))
    return (0.4 + 0.2 * noise).expand(-1, 3)


@pytest.fixture(scope="module")
def bump(known):
    """Of the cheeks, 2 mm high at most and 50 mm long."""
    points = known.faces[0].model.identity.mean
    return 2.0 * (2 * torch.pi * points[:, 1] / 50).cos()


def shots(known, paint, bump=None, yaws=YAWS):
    pairs = [photographed(known, EVEN, None, paint, yaw=y, bump=bump, camera=CAMERA) for y in yaws]
    return [list(each) for each in zip(*pairs, strict=True)]


def moved(face, turn, shift):
    """The face in another pose, with marks where its vertices are."""
    person = face.parameters
    rotation = person.rotation + torch.tensor([turn])
    person = replace(person, rotation=rotation, translation=person.translation + shift)
    told = replace(face, pixels=replace(face.pixels, parameters=person))
    return replace(told, pixels=replace(told.pixels, predicted=(marks_of(told),)))


def marks_of(face):
    shown = torch.nonzero(face.model.regions["cheeks"] > 0.5)[::5, 0]
    return face.camera.project(face.vertices_in_camera()[shown])[:, :2]


def apart(faces):
    """Largest turn in degrees between the first head and the others, beside the true one."""
    turns = [roma.rotvec_to_rotmat(face.parameters.rotation[0]) for face in faces]
    away = []
    for turn, yaw in zip(turns[1:], YAWS[1:], strict=True):
        true = roma.rotvec_to_rotmat(torch.tensor([0.0, yaw - YAWS[0], 0.0]))
        away.append(roma.rotmat_to_rotvec(turn @ turns[0].mT @ true.mT).norm())
    return float(torch.stack(away).max().rad2deg())


def test_a_surface_that_moves_to_the_camera_slides_nowhere_and_along_itself_as_far(known, paint):
    faces, photos = shots(known, paint, yaws=(0.4,))
    grid = Grid.of(faces[0].model, SIZE)
    view = on_surface(faces[0], photos[0], grid)
    slide, normals = view.slide(), view.ground.normals
    line = torch.nn.functional.normalize(-view.ground.points, dim=-1)
    facing = (line * normals).sum(-1) > 0.3
    assert (slide @ line[..., None])[facing].abs().max() < 1e-4
    along = torch.linalg.cross(normals, line)
    torch.testing.assert_close((slide @ along[..., None])[..., 0], along, atol=1e-4, rtol=1e-4)


def test_a_pose_that_is_off_comes_nearer_to_what_the_others_show(known, paint):
    faces, photos = shots(known, paint)
    faces[0] = moved(faces[0], [0.03, 0.02, 0.0], torch.tensor([1.0, 0.5, 0.0]))
    told = align_faces(faces, photos)
    assert apart(faces) > 1.9
    assert apart(told) < 0.5 * apart(faces)
    assert (told[0].predicted - marks_of(told[0])).norm(dim=-1).max() < 0.5


def test_poses_that_fit_stay(known, paint):
    faces, photos = shots(known, paint)
    assert apart(align_faces(faces, photos)) < 0.3


def test_what_is_missing_of_the_shape_is_told_by_parallax(known, paint, bump):
    faces, photos = shots(known, paint, bump)
    model = faces[0].model
    grid = Grid.of(model, SIZE)
    found = grid.whole(slopes_between(wide_heights(faces, photos, grid))[grid.mask][:, 2])
    true = grid.whole(grid.at(bump[:, None], model)[:, 0])
    where = in_the_middle(model, SIZE)
    assert correlation(found[where], true[where]) > 0.8
    assert 0.5 < found[where].std() / true[where].std() < 1.2


def test_photos_from_one_side_tell_no_height(known, paint, bump):
    faces, photos = shots(known, paint, bump, yaws=(0.0, 0.0))
    heights = wide_heights(faces, photos, Grid.of(faces[0].model, SIZE))
    assert abs(heights).max() < 0.05


def test_one_photo_stays_as_it_is(known, paint):
    faces, photos = shots(known, paint, yaws=(0.0,))
    assert align_faces(faces, photos) == tuple(faces)


@pytest.mark.refusal
def test_faces_to_be_aligned_have_photos_and_pixels(known):
    with pytest.raises(ParameterError, match="faces and photos must pair up, got 1 and 0"):
        align_faces(known.faces, [])
    with pytest.raises(ParameterError, match="only pixels tell; fit with stage='pixels'"):
        align_faces(known.faces, [known.photo])
