"""The open head's landmarks on heads whose correspondence is known."""

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from morphface.core.errors import LandmarkError
from morphface.geometry.closest import closest_on_mesh
from morphface.landmarks import embed, measure_embedding, tables, transfer
from morphface.landmarks.transfer import Transfer, transfer_embedding
from morphface.models import LandmarkEmbedding, LinearBasis, load_model
from morphface.models.skin import skin_faces
from morphface.models.subdivide import subdivide_model
from tests.data import shared
from tests.landmarks.test_embedding import ict_model

IRISES = [*tables.RIGHT_IRIS, *tables.LEFT_IRIS]
BROWS = [*tables.RIGHT_BROW, *tables.LEFT_BROW]
TURN = roma.rotvec_to_rotmat(torch.tensor([0.08, -0.05, 0.04]))


def warped(points):
    """A wider, shorter and bent head, held otherwise, in another frame."""
    x, y, z = points.unbind(-1)
    bent = torch.stack([1.08 * x, 0.94 * y + 4 * torch.sin(z / 60), z + 5 * torch.cos(y / 50)], -1)
    return 1.05 * bent @ TURN.T + torch.tensor([5.0, 20.0, -10.0])


def seen_on(head, offset, which):
    """A detection on `head` that errs by `offset` at some of the landmarks."""
    own, skin = head.landmarks["478"], skin_faces(head, without=("ears",))
    points = own.points(head.identity.mean)
    points[which] += torch.tensor(offset)
    found, weights = closest_on_mesh(points, head.identity.mean, head.faces[skin])
    triangles = head.faces[skin][found]
    triangles[IRISES], weights[IRISES] = own.triangles[IRISES], own.barycentric[IRISES]
    return LandmarkEmbedding(triangles, weights, own.confidence)


@pytest.fixture(scope="module")
def head():
    return load_model()


@pytest.fixture(scope="module")
def finer(head):
    """The head warped, as a mesh of four times the faces."""
    model = subdivide_model(head)
    return replace(
        model, identity=LinearBasis(warped(model.identity.mean), model.identity.directions)
    )


def on_finer(head, finer, embedding):
    """The same points of the finer mesh."""
    points = embedding.points(warped(head.identity.mean))
    skin = skin_faces(finer, without=("ears",))
    triangles, weights = torch.zeros(478, 3, dtype=torch.long), torch.zeros(478, 3)
    iris = torch.zeros(478, dtype=torch.bool)
    iris[IRISES] = True
    for which, faces in ((iris, finer.faces[~skin]), (~iris, finer.faces[skin])):
        found, weights[which] = closest_on_mesh(points[which], finer.identity.mean, faces)
        triangles[which] = faces[found]
    return LandmarkEmbedding(triangles, weights, embedding.confidence)


@pytest.fixture(scope="module")
def carried(head, finer):
    """Carried with pins that err alike on both heads, and one that does not."""
    here = seen_on(head, (0.0, 6.0, 0.0), BROWS)
    seen = on_finer(head, finer, here)
    seen.triangles[4], seen.barycentric[4] = seen.triangles[6], seen.barycentric[6]  # the nose tip
    return transfer_embedding(head, finer, (here, seen)), seen


def test_landmarks_go_where_the_warp_takes_them_though_the_detector_errs(head, finer, carried):
    wanted = head.landmarks["478"].points(warped(head.identity.mean))
    found = carried[0].embedding.points(finer.identity.mean)
    apart = (found - wanted).norm(dim=-1)
    apart[4] = 0
    assert apart.median() < 0.3
    assert apart[BROWS].median() < 1.0
    firm = head.landmarks["478"].confidence > 0.2  # the silhouette may slide
    assert firm.sum() > 350
    assert apart[firm].quantile(0.95) < 1.0
    assert apart.max() < 6.0
    assert carried[0].distance[BROWS].median() < 1.5  # though 6 mm were added on both
    assert not carried[0].poor


def test_irises_are_where_they_are_seen(finer, carried):
    found, seen = carried[0].embedding, carried[1]
    assert torch.equal(found.triangles[IRISES], seen.triangles[IRISES])
    assert torch.equal(found.barycentric[IRISES], seen.barycentric[IRISES])
    assert torch.equal(found.confidence[IRISES], seen.confidence[IRISES])
    assert carried[0].distance[IRISES].isinf().all()


def test_what_is_seen_elsewhere_on_the_other_head_is_trusted_less(head, carried):
    share = carried[0].embedding.confidence / head.landmarks["478"].confidence
    skin = torch.ones(478, dtype=torch.bool)
    skin[IRISES] = False
    assert share[4] < 0.7
    assert share[skin].median() > 0.95
    torch.testing.assert_close(share[skin], 1 / (1 + (carried[0].distance[skin] / 2) ** 2))


def test_models_correspond_where_most_of_what_is_seen_is_near():
    near, far, none = torch.tensor([1.0, 2.0, 9.0, torch.inf]), torch.full((3,), 3.5), torch.inf
    assert not Transfer(None, near).poor
    assert Transfer(None, far).poor
    assert Transfer(None, torch.full((3,), none)).poor


class Unasked:
    def detect(self, photo):
        pytest.fail("the open head has its landmarks")


def test_the_open_head_has_its_own(head):
    assert embed(head, Unasked(), "68") is not None
    assert torch.equal(embed(head, Unasked()).triangles, head.landmarks["478"].triangles)


@pytest.fixture
def sights(head, finer, monkeypatch):
    """What is seen on the open head, which is asked for second, and on the finer one."""
    shown = []

    def pretend(model, detector, scheme="478", *, skin=None):
        shown.append(model)
        return sights[len(shown) > 1](), torch.zeros(478)

    own = head.landmarks["478"]
    sights = {False: lambda: on_finer(head, finer, own), True: lambda: own}
    monkeypatch.setattr(transfer, "measure_embedding", pretend)
    return sights, shown


def test_the_open_head_is_shown_as_the_model_is(sights, finer, monkeypatch):
    plain = replace(finer, reflectance=None)
    seen = sights[0][False]()
    made = Transfer(replace(seen, confidence=seen.confidence / 2), torch.zeros(478))
    monkeypatch.setattr(transfer, "transfer_embedding", lambda *_, **__: made)
    found = embed(plain, None, "68")
    assert [model.reflectance for model in sights[1]] == [None, None]
    order = list(tables.MESH_OF_68)
    assert torch.equal(found.triangles, seen.triangles[order])
    assert torch.equal(found.confidence, seen.confidence[order] / 2)
    sights[1].clear()
    embed(finer, None)
    assert all(model.reflectance is not None for model in sights[1])


def test_what_was_seen_is_kept_where_heads_do_not_correspond(sights, finer, monkeypatch):
    seen = sights[0][False]()
    poor = Transfer(seen.map(torch.zeros_like), torch.full((478,), 4.0))
    monkeypatch.setattr(transfer, "transfer_embedding", lambda *_, **__: poor)
    assert torch.equal(embed(finer, None).barycentric, seen.barycentric)


def test_what_was_seen_is_kept_where_the_open_head_is_not_seen(sights, finer):
    def fails():
        raise LandmarkError("no face")

    sights[0][True] = fails
    seen = sights[0][False]()
    assert torch.equal(embed(finer, None).triangles, seen.triangles)


@pytest.mark.slow
def test_on_another_head_it_is_nearer_to_a_map_made_by_others_than_what_is_seen(detector):
    model, skin = ict_model()
    with np.load(shared("ict", "mediapipe478_to_ict.npz")) as file:
        triangles = torch.from_numpy(file["triangles"].astype(np.int64))
        weights = torch.from_numpy(file["barycentric"])
    mean = model.identity.mean
    other = (weights[..., None] * mean[triangles]).sum(1)
    seen, found = (
        (how.points(mean) - other).norm(dim=-1)
        for how in (
            measure_embedding(model, detector, skin=skin)[0],
            embed(model, detector, skin=skin),
        )
    )
    # a map of anatomy: what is carried is where a detector points on people, which differs from it
    assert found.mean() < 0.95 * seen.mean()
    assert found[BROWS].median() < 0.9 * seen[BROWS].median()
