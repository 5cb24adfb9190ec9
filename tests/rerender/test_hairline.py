"""Who is bald: by how much could be hair, and by its colour."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.media.images import Photo
from morphface.rerender.hairline import AMOUNT, hairiness, scalp_cut
from morphface.rerender.person import Person
from morphface.segment import Labels

SKIN, BROWN = (0.7, 0.51, 0.43), (0.2, 0.12, 0.08)


def person_with(known, rows, colour):
    """The known person with hair in so many rows of the head, whose other pixels are skin."""
    face = known.faces[0]
    person = Person(face, known.photo)
    head = person.work.head.astype(np.float32)
    first = int(np.nonzero(head.any(1))[0][0])
    top = (np.arange(len(head)) < first + rows)[:, None] * head
    pixels = np.full_like(person.work.pixels, SKIN)
    pixels[top > 0] = colour
    work = replace(person.work, pixels=pixels)
    vars(person).update(matte=head, work=work, labels=Labels(top, head - top, 0 * head))
    return person


@pytest.mark.parametrize(
    ("colour", "hairy"), [((0.66, 0.48, 0.41), 0.0), (BROWN, 1.0), ((0.8, 0.8, 0.6), 1.0)]
)
def test_a_little_in_the_colour_of_skin_is_a_bald_head_and_in_another_colour_hair(
    known, colour, hairy
):
    person = person_with(known, 18, colour)
    amount = (person.labels.hair * person.matte).sum() / person.work.size**2
    assert 0.01 < amount < AMOUNT[0]
    assert hairiness(person) == pytest.approx(hairy)


@pytest.mark.parametrize("colour", [SKIN, BROWN])
def test_much_of_it_is_hair_whatever_its_colour(known, colour):
    person = person_with(known, 60, colour)
    assert hairiness(person) == 1.0


@pytest.mark.parametrize(("hair", "hairy"), [(1.0, 1.0), (0.0, 0.0)])
def test_hair_beside_a_scalp_that_the_border_cuts_tells_who_is_bald(known, hair, hairy):
    face, pixels = known.faces[0], known.photo.pixels
    scalp = face.model.regions["scalp"]
    brows = face.camera.project(face.vertices_in_camera()[face.model.regions["brows"] > 0.5])
    top = int(brows[:, 1].min()) - 4
    camera = replace(
        face.camera,
        principal=face.camera.principal - torch.tensor([0.0, top]),
        size=(len(pixels) - top, pixels.shape[1]),
    )
    part = replace(face, fit=replace(face.fit, camera=camera), pixels=None)
    cut = Person(part, Photo(pixels[top:]))
    head = cut.work.head.astype(np.float32)
    strip = np.arange(head.shape[1]) < cut.work.middle[0] - 0.25 * cut.work.size
    labels = Labels(head * strip * hair, head * (1 - strip * hair), 0 * head)
    vars(cut).update(matte=head, labels=labels)
    assert scalp_cut(Person(face, known.photo), scalp) == 0
    assert scalp_cut(cut, scalp) > 0.9
    assert hairiness(cut) == pytest.approx(hairy, abs=0.1)
