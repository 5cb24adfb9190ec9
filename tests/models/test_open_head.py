"""The model that ships with the package: is it a head, and is it whole?"""

import pytest
import torch

from morphface.geometry.mesh import face_normals, vertex_normals
from morphface.landmarks import tables
from morphface.models import MODELS, load_model
from morphface.models.skin import skin_faces
from morphface.models.storage import read_header
from morphface.parameters.upgrade import REVISIONS

FLIP = torch.tensor([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def head():
    return load_model()


@pytest.fixture(scope="module")
def fine():
    return load_model("open-head", detail="high")


def weights(head, **named):
    out = torch.zeros(head.expression.rank)
    for name, value in named.items():
        out[head.expression.names.index(name)] = value
    return out


def landmark(head, vertices, index):
    return head.landmarks["478"].points(vertices)[index]


def test_file_is_at_most_ten_megabytes():
    assert MODELS["open-head"].stat().st_size <= 10e6


def test_the_file_says_the_revision_that_parameters_are_brought_up_to():
    assert read_header(MODELS["open-head"])["revision"] == REVISIONS["open-head"]


def test_it_has_80_identities_52_expressions_and_80_reflectances(head):
    assert (head.identity.rank, head.expression.rank, head.reflectance.rank) == (80, 52, 80)
    assert head.expression.bounds.tolist() == [[0, 1]] * 52


def test_origin_is_between_the_eyes_of_the_mean(head):
    left, right = (eye.centre(head.identity.mean) for eye in head.eyes)
    assert left[0] > 0 > right[0]
    torch.testing.assert_close((left + right) / 2, torch.zeros(3), atol=1e-3, rtol=0)
    assert 58 < (left - right).norm() < 68  # most adults'


def test_mean_is_its_own_mirror_image(head):
    mean = head.identity.mean
    torch.testing.assert_close(mean[head.mirror] * FLIP, mean, atol=1e-4, rtol=0)


def test_size_is_that_of_an_adult(head):
    skin = head.identity.mean[head.regions["ears"] > 0.5]
    width = skin[:, 0].max() - skin[:, 0].min()
    nose_to_chin = landmark(head, head.identity.mean, 168) - landmark(head, head.identity.mean, 152)
    assert 140 < width < 210
    assert 95 < nose_to_chin[1] < 135


def test_faces_look_outwards(head):
    mean = head.identity.mean
    normals = vertex_normals(mean, head.faces)
    skin = (head.regions["face"] > 0.9) & (mean[:, 2] > 0)
    assert (normals[skin][:, 2] > 0).float().mean() > 0.9


def test_left_and_right_expressions_mirror_each_other(head):
    mean = head.identity.mean
    for name in ("mouthSmile", "eyeBlink", "browDown"):
        left = head.vertices(torch.zeros(80), weights(head, **{f"{name}Left": 1.0})) - mean
        right = head.vertices(torch.zeros(80), weights(head, **{f"{name}Right": 1.0})) - mean
        difference = (left[head.mirror] * FLIP - right).norm(dim=-1)
        assert difference.max() < 0.2 * left.norm(dim=-1).max()


def test_jaw_opens_downwards_with_the_lower_teeth(head):
    mean = head.identity.mean
    opened = head.vertices(torch.zeros(80), weights(head, jawOpen=1.0))
    assert landmark(head, opened, 152)[1] < landmark(head, mean, 152)[1] - 15
    assert (opened - mean)[head.regions["teeth"] > 0.5][:, 1].min() < -10


def test_a_blink_closes_the_eye(head):
    closed = head.vertices(torch.zeros(80), weights(head, eyeBlinkLeft=1.0))
    upper, lower = 386, 374
    gap = [
        (landmark(head, v, upper) - landmark(head, v, lower)).norm()
        for v in (head.identity.mean, closed)
    ]
    assert gap[1] < 0.35 * gap[0]


def test_expressions_leave_the_eyeballs_to_gaze(head):
    for eye in head.eyes:
        assert head.expression.directions[:, eye.vertices].abs().max() == 0


def test_identity_components_fall_in_size(head):
    size = head.identity.directions.square().sum(-1).mean(-1).sqrt()
    assert size[:10].min() > size[-10:].max()


def test_regions_are_soft_masks_and_skin_is_not_eye(head):
    for mask in head.regions.values():
        assert mask.min() >= 0
        assert mask.max() <= 1
    assert (head.regions["skin"] * head.regions["eyeballs"]).max() == 0


def test_mean_albedo_is_skin_and_a_brow_is_darker(head):
    albedo = head.albedo(torch.zeros(80))
    skin = albedo[head.regions["cheeks"] > 0.5].mean(0)
    brow = albedo[head.regions["brows"] > 0.8].mean(0)
    assert skin[0] > skin[1] > skin[2]
    assert brow.mean() < 0.7 * skin.mean()


def test_every_uv_face_has_an_area_and_lies_in_the_unit_square(head):
    a, b, c = head.uv[head.uv_faces].unbind(1)
    u, v = b - a, c - a
    area = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).abs()
    assert (area > 0).float().mean() > 0.999
    assert head.uv.min() >= 0
    assert head.uv.max() <= 1


@pytest.mark.parametrize("scheme", ["478", "68"])
def test_landmarks_lie_symmetrically_on_the_face(head, scheme):
    embedding = head.landmarks[scheme]
    assert len(embedding) == int(scheme)
    points = embedding.points(head.identity.mean)
    torch.testing.assert_close(embedding.barycentric.sum(-1), torch.ones(len(points)))
    corner = {"478": (33, 263), "68": (36, 45)}[scheme]
    right, left = points[list(corner)]
    torch.testing.assert_close(left * FLIP, right, atol=1.5, rtol=0)


def on_mean(head):
    return head.landmarks["478"].points(head.identity.mean)


def share_of(head, region, index):
    """How much of a region the point of a landmark is of."""
    embedding = head.landmarks["478"]
    mask = head.regions[region][embedding.triangles[index]]
    return (mask * embedding.barycentric[index]).sum(-1)


def test_the_tip_of_the_nose_is_what_is_most_in_front(head):
    skin = head.identity.mean[head.faces[skin_faces(head)].unique()]
    foremost = skin[skin[:, 2].argmax()]
    assert (on_mean(head)[1] - foremost).norm() < 3


def test_landmarks_of_lips_lie_on_lips_and_those_between_on_the_right_one(head):
    points, mean = on_mean(head), head.identity.mean
    lips = mean[head.regions["lips"] > 0.5]
    away = torch.cdist(points[[*tables.OUTER_LIPS, *tables.INNER_LIPS]], lips).amin(1)
    assert away.max() < 4  # outer ones are on the margin, of which the mask is soft
    assert share_of(head, "lips", [78, 308]).min() > 0.5
    opened = landmark(head, head.vertices(torch.zeros(80), weights(head, jawOpen=1.0)), [13, 14])
    assert (opened - points[[13, 14]]).norm(dim=-1).diff() > 10


def test_landmarks_of_lids_lie_around_the_eyes_that_they_are_of(head):
    points, mean = on_mean(head), head.identity.mean
    for eye, ring in zip(head.eyes, (tables.LEFT_EYE, tables.RIGHT_EYE), strict=True):
        away = (points[list(ring)] - eye.centre(mean)).norm(dim=-1)
        assert away.min() > eye.radius - 1
        assert away.max() < eye.radius + 7  # the corners of lids are beside the eyeball
        assert share_of(head, "eyeballs", list(ring)).max() < 0.5


def test_landmarks_of_irises_lie_on_eyeballs_around_their_pupils(head):
    points, mean = on_mean(head), head.identity.mean
    for eye, ring in zip(head.eyes, (tables.LEFT_IRIS, tables.RIGHT_IRIS), strict=True):
        centre, *border = points[list(ring)]
        assert share_of(head, "eyeballs", list(ring)).min() == 1
        pupil = eye.centre(mean) + torch.tensor([0.0, 0.0, eye.radius])
        assert (centre - pupil).norm() < 2.5
        across = (border[0] - border[2]).norm()
        assert across / 2 == pytest.approx(eye.iris_radius, rel=0.15)


def test_every_landmark_is_the_mirror_image_of_its_other_side(head):
    points = on_mean(head)
    other = points[list(tables.MIRROR)] * FLIP
    torch.testing.assert_close(points, other, atol=1.5, rtol=0)


def test_the_oval_lies_around_all_landmarks_and_its_lowest_point_is_the_chin(head):
    hull = pytest.importorskip("scipy.spatial").ConvexHull
    points = on_mean(head)
    around = hull(points[list(tables.FACE_OVAL), :2].double().numpy())
    beyond = points[:, :2].double().numpy() @ around.equations[:, :2].T + around.equations[:, 2]
    assert beyond.max() < 3
    assert points[:, 1].argmin() == 152


def test_a_nose_stands_out_as_far_as_those_of_people(head):
    """Anthropometry: a nose is about 18 to 20 mm deep at its root, and 40 mm and more at its tip.

    From the inner and from the outer corners of the eyes.
    """
    depth = on_mean(head)[:, 2]
    assert depth[6] - depth[[133, 362]].max() > 14
    assert depth[1] - depth[[33, 263]].max() > 38


def test_random_heads_hardly_fold_the_face(head, rng):
    faces = head.faces[skin_faces(head) & (head.regions["face"][head.faces] > 0.5).all(1)]
    drawn = head.identity.instance(torch.randn(200, 80, generator=rng))
    before, after = (face_normals(vertices, faces) for vertices in (head.identity.mean, drawn))
    turned = (after * before).sum(-1) < 0
    assert turned.sum(1).float().mean() < 3  # of 3602, in the fold of the inner eye corners


def test_high_detail_is_the_same_face(head, fine, rng):
    identity, expression = torch.randn(80, generator=rng), torch.rand(52, generator=rng)
    coarse, smooth = (model.vertices(identity, expression) for model in (head, fine))
    assert len(fine.faces) == 4 * len(head.faces)
    points = [m.landmarks["478"].points(v) for m, v in ((head, coarse), (fine, smooth))]
    assert (points[0] - points[1]).norm(dim=-1).median() < 0.3
    left, _ = (eye.centre(smooth) for eye in fine.eyes)
    torch.testing.assert_close(left, head.eyes[0].centre(coarse), atol=0.05, rtol=0)


def test_high_detail_is_its_own_mirror_image(fine):
    mean = fine.identity.mean
    torch.testing.assert_close(mean[fine.mirror] * FLIP, mean, atol=1e-3, rtol=0)
