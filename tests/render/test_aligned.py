import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.models.skin import outer_faces
from morphface.render.aligned import SIDE, AlignedHead, check_aligned, head_crop
from morphface.render.maps import render_maps

SIZE = 64


@pytest.fixture
def head(known):
    face = known.faces[0]
    crop = head_crop(face.camera, face.parameters, SIZE)
    return AlignedHead(face.model, face.parameters, crop.camera(face.camera))


def test_the_middle_of_the_box_is_seen_in_the_middle(head):
    middle = torch.tensor([[0.0, 0.0, -75.0]])
    assert head.places(middle).abs().max() < 1e-4
    depth = float(head.camera.project(head.in_camera(middle))[0, 2])
    aside = torch.tensor([[SIDE / 2, 0.0, -depth], [0.0, SIDE / 2, -depth]])
    shift = head.camera.project(aside) - head.camera.project(torch.tensor([[0, 0, -depth]]))
    assert shift[0, 0] == pytest.approx(SIZE / 2, rel=1e-4)
    assert shift[1, 1] == pytest.approx(-SIZE / 2, rel=1e-4)


def test_vertices_are_on_the_mesh_at_their_own_place_in_the_mean(head):
    some = outer_faces(head.model).unique()[::50]
    nearest = head.nearest(head.vertices[some])
    assert nearest.distance.abs().max() < 1e-3
    mean = head.model.identity.mean[some]
    apart = (head.mean_places(nearest) - mean).norm(dim=-1)
    assert apart.median() < 1e-2  # where lids and lips touch, the nearest may be the other one


def test_front_looks_here_and_back_looks_away(head):
    blank = torch.zeros(SIZE, SIZE)
    names = ("normal", "normal_back")
    picture = head.picture(torch.zeros(SIZE, SIZE, 3), blank, blank, names)
    front, back = picture[5] * 2 - 1, picture[8] * 2 - 1
    seen = render_maps(head.model, head.parameters, head.camera, ("mask",)).maps["mask"][0, ..., 0]
    assert front[seen > 0].mean() > 0.4
    assert back[seen > 0].mean() < -0.4
    assert (picture[3:9, seen == 0] == 0.5).all()


def test_the_person_is_shown_over_grey_and_hair_as_given(head):
    rows = torch.arange(SIZE)[:, None].expand(SIZE, SIZE) / SIZE
    matte, hair = (rows > 0.5).float(), rows
    picture = head.picture(torch.ones(SIZE, SIZE, 3), matte, hair, ("hair", "depth"))
    assert picture.shape == (5, SIZE, SIZE)
    assert picture[:3, 0].unique().tolist() == [0.5]
    assert picture[:3, -1].unique().tolist() == [1.0]
    assert torch.equal(picture[3], hair)


@pytest.mark.refusal
def test_other_maps_are_refused():
    with pytest.raises(ParameterError, match=r"maps must be of normal, .*, hair, got gaze"):
        check_aligned(("gaze",))
