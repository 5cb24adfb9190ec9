"""Hair as a surface of its own: around the skull, and none for who has none."""

from dataclasses import replace

import pytest
import torch

from morphface.pipelines.head_files import rigged_head, with_hair
from morphface.rerender.body import Body
from morphface.rerender.person import Person
from morphface.rerender.shell import _built, _hanging
from morphface.segment import Labels


@pytest.fixture(scope="module")
def person(known):
    """The head of a photo in a cap of hair: what is above the brows counts as hair."""
    face = known.faces[0]
    person = Person(face, known.photo)
    head = person.work.head.astype("float32")
    rows = torch.arange(head.shape[0])[:, None] + 0.5
    brows = face.camera.project(face.vertices_in_camera()[face.model.regions["brows"] > 0.5])
    high = (rows < float(brows[:, 1].min()) * person.work.scale).float().numpy()
    vars(person)["matte"] = head
    vars(person)["labels"] = Labels(head * high, head * (1 - high), 0 * head)
    return person


@pytest.fixture(scope="module")
def shell(person):
    return _built(Body(person))


def test_hair_lies_outside_the_skull(shell, person):
    neutral = person.face.vertices()
    skull = neutral[person.face.model.regions["scalp"] > 0.5]
    middle = skull.mean(0)
    for direction in torch.eye(3)[[0, 1]]:
        most = ((skull - middle) @ direction).max()
        assert ((shell.vertices - middle) @ direction).max() > most - 6
    away = (shell.vertices - middle).norm(dim=-1)
    nearest = torch.cdist(shell.vertices, skull).argmin(1)
    deep = (skull[nearest] - middle).norm(dim=-1) - away
    assert deep.quantile(0.9) < 6


def test_hair_has_unit_normals_that_face_outwards(shell):
    length = shell.normals.norm(dim=-1)
    torch.testing.assert_close(length, torch.ones_like(length), atol=1e-3, rtol=0)
    outward = ((shell.vertices - shell.vertices.mean(0)) * shell.normals).sum(-1)
    assert (outward > 0).float().mean() > 0.8


def test_a_head_with_hair_has_one_part_more_and_moves_as_before(shell, known):
    head = rigged_head(known.faces[0], known.photo)
    worn = with_hair(head, shell)
    assert list(worn.parts)[-1] == "hair"
    size = len(head.vertices)
    assert torch.equal(worn.vertices[:size], head.vertices)
    assert all(not bool(move[size:].any()) for move in worn.targets.values())
    above = worn.skeleton.weights[size:]
    torch.testing.assert_close(above.sum(-1), torch.ones(len(above)))
    assert worn.uv_faces.shape == worn.faces.shape
    assert with_hair(head, None) is head


def test_the_texture_of_the_head_stays_where_its_coordinates_lead(shell, known):
    head = rigged_head(known.faces[0], known.photo)
    worn = with_hair(head, shell)
    rows, whole = head.texture.shape[0], worn.texture.shape[0]
    before = (1 - head.uv[:, 1]) * rows
    after = (1 - worn.uv[: len(head.uv), 1]) * whole
    torch.testing.assert_close(after, before, atol=1e-2, rtol=0)
    assert torch.equal(worn.texture[:rows], head.texture)


def test_a_bald_person_has_no_hair(person):
    bare = Labels(0 * person.labels.hair, person.matte, 0 * person.matte)
    bald = replace(person)
    vars(bald).update(matte=person.matte, labels=bare)
    assert bald.hairy == 0
    assert _built(Body(bald)) is None


def test_small_pieces_beside_a_neck_are_no_hair_and_what_hangs_or_is_large_is():
    high = torch.linspace(100, -150, 50)[:, None].expand(50, 40)
    head = torch.zeros(50, 40, dtype=torch.bool)
    head[5:35, 10:30] = True
    hair, crumb = torch.zeros_like(head), torch.zeros_like(head)
    hair[2:10, 8:32] = True  # on top
    hair[10:45, 8:12] = True  # hangs down
    hair[35:49, 20:30] = True  # large
    crumb[38:42, 34:38] = True
    assert torch.equal(_hanging(hair | crumb, high, head), hair)
    none = torch.zeros_like(head)
    assert torch.equal(_hanging(none, high, head), none)
