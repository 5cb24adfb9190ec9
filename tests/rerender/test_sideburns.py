"""Hair beside the mesh of a head."""

import numpy as np
import torch

from morphface.geometry.mesh import normalized, vertex_normals
from morphface.rerender.person import Person
from morphface.rerender.sideburns import AWAY, HANGING, hair_beside
from morphface.segment import Labels
from morphface.segment.filters import widened


def fringed(known, reach):
    """Someone whose head ends in a ring of hair, so many pixels wide."""
    person = Person(known.faces[0], known.photo)
    head = person.on_mesh(torch.ones(person.face.model.size, 1))[..., 0] > 0.5
    hair = np.single(widened(head, reach) & ~head)
    labels = Labels(hair=hair, skin=np.single(head), clothes=np.zeros_like(hair))
    vars(person).update(labels=labels, matte=np.maximum(hair, head))
    return person


def cosines(person):
    normals = vertex_normals(person.sight.vertices, person.sight.faces)
    return -(normals * normalized(person.sight.vertices)).sum(-1)


def test_hair_beside_the_outline_is_on_what_is_seen_edge_on_and_nowhere_else(known):
    person = fringed(known, 8)
    found, cosine = hair_beside(person), cosines(person)
    assert found[cosine > 0.4].max() == 0
    assert found[cosine < AWAY[0] - HANGING].max() == 0
    temple = (person.face.model.identity.mean[:, 1] > 20) & (cosine.abs() < 0.03)
    assert found[temple].mean() > 0.5


def test_beside_bare_skin_there_is_no_hair(known):
    assert hair_beside(fringed(known, 0)).max() < 0.5


def test_hair_over_an_ear_begins_farther_back_than_hair_before_a_bare_one(known):
    person = fringed(known, 8)
    bare = person.face.model.regions["ears"]
    left = person.face.model.identity.mean[:, 0] > 0
    shares = []
    for ears in (bare, bare * left, torch.zeros_like(bare)):
        vars(person).update(ears=ears)
        shares.append(hair_beside(person))
    cosine = cosines(person)
    fore = (cosine > 0) & (cosine < 0.2)
    assert shares[0][fore].mean() > 1.5 * shares[2][fore].mean()
    assert torch.equal(shares[1][left], shares[0][left])
    assert torch.equal(shares[1][~left], shares[2][~left])
