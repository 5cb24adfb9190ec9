"""The person of a photo, told from what is behind, and hair from skin."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from morphface.render.sight import Sight
from morphface.rerender.person import Person
from morphface.rerender.turn import above_neck
from morphface.segment import label_person, neighbours, person_matte, working_size
from morphface.segment import labels as segment_labels
from morphface.segment import matte as segment_matte
from morphface.segment.filters import distance
from morphface.segment.neighbours import nearer_to, other_heads
from morphface.segment.network import _FILE, SIDE, likely_person

SHA256 = "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"


@pytest.fixture(scope="module")
def sight(known):
    face = known.faces[0]
    return Sight(known.photo.pixels, face.camera, face.vertices_in_camera(), face.model.faces)


@pytest.fixture(scope="module")
def work(sight):
    return working_size(sight)


@pytest.fixture(scope="module")
def matte(sight, work):
    return person_matte(sight, work)


def test_the_network_is_the_published_one():
    assert hashlib.sha256(_FILE.read_bytes()).hexdigest() == SHA256


def test_the_network_is_asked_about_a_box_and_nothing_else():
    pixels = np.full((60, 80, 3), 0.5, np.float32)
    found = likely_person(pixels, (20.0, 10.0, 60.0, 50.0))
    assert np.isnan(found[:9]).all()
    assert np.isfinite(found[11:49, 21:59]).all()
    assert np.nanmax(found) <= 1
    assert SIDE == 256


def test_the_matte_of_a_rendered_head_is_its_outline(work, matte):
    person = matte > 0.5
    both, either = (person & work.head).sum(), (person | work.head).sum()
    assert both / either > 0.97


def test_the_network_is_shown_little_but_the_picture(sight, work, monkeypatch):
    height, width = work.pixels.shape[:2]
    boxes = []
    monkeypatch.setattr(
        segment_matte, "likely_person", lambda pixels, box, *_: boxes.append(box) or pixels[..., 0]
    )
    person_matte(sight, replace(work, middle=(0.1 * width, 0.1 * height)))
    left, top, right, bottom = np.array(boxes).T
    beyond = np.maximum(0, [-left, -top, right - width, bottom - height])
    room = segment_matte.BEYOND * max(reach for reach, _ in segment_matte.CROPS) * work.size
    assert len(set(boxes)) > 3
    assert 0 < beyond.max() <= room + 1e-9
    assert (right > left).all()
    assert (bottom > top).all()


def test_what_is_behind_shows_between_strands_and_not_through_clothes(sight, work, monkeypatch):
    y, x = np.mgrid[:320, :240]
    head = np.hypot(x - 120, y - 110) < 60
    person = (np.hypot(x - 120, y - 110) < 90) | ((y > 190) & (np.abs(x - 120) < 90))
    pixels = np.where(head[..., None], 0.6, np.where(person[..., None], 0.05, 1.0))
    gaps = {"hair": np.s_[24:27, 110:118], "clothes": np.s_[250:258, 36:38]}
    for gap in gaps.values():
        pixels[gap] = 1.0

    def net(pixels, box, *_):
        return person.astype(np.float32)

    monkeypatch.setattr(segment_matte, "likely_person", net)
    pixels = np.repeat(pixels, 3, -1).astype(np.float32)
    found = replace(work, pixels=pixels, head=head, middle=(120.0, 110.0), size=200.0)
    matte = person_matte(sight, found)
    assert matte[gaps["hair"]].max() < 0.5
    assert matte[gaps["clothes"]].min() > 0.9


def test_what_another_head_owns_is_not_of_this_one(sight, work):
    xs = np.nonzero(work.head)[1]
    box = np.array([[xs.max() - 30.0, 0.0, xs.max() + 90.0, 140.0]])
    alone, beside = person_matte(sight, work), person_matte(sight, replace(work, others=box))
    assert (beside > 0.5).sum() <= (alone > 0.5).sum()
    assert (beside[work.head] > 0.5).mean() > 0.9


def test_the_other_of_two_people_is_found_and_nobody_is_their_own_neighbour(work):
    assert other_heads(work.pixels, work.head).shape == (0, 4)
    width = work.pixels.shape[1]
    two = np.concatenate([work.pixels, work.pixels], axis=1)
    head = np.concatenate([work.head, np.zeros_like(work.head)], axis=1)
    (found,) = other_heads(two, head)
    ys, xs = np.nonzero(work.head)
    assert found[0] < xs.mean() + width < found[2]
    near = nearer_to(found, head, work.middle)
    assert near[:, width:].mean() > 0.8
    assert not near[head].any()


def test_a_face_that_the_matte_knows_no_person_for_is_nobody(work, monkeypatch):
    two = np.concatenate([work.pixels, work.pixels], axis=1)
    head = np.concatenate([work.head, np.zeros_like(work.head)], axis=1)
    painted = np.zeros(two.shape[:2], np.float32)
    monkeypatch.setattr(neighbours, "likely_person", lambda *_: painted)
    assert other_heads(two, head).shape == (0, 4)


def test_a_cap_is_hair_and_a_face_is_skin(known, sight, work, matte):
    face = known.faces[0]
    rows = np.nonzero(work.head)[0]
    top = rows.min() + round(0.22 * (rows.max() - rows.min()))
    capped = work.pixels.copy()
    capped[:top][work.head[:top]] = (0.05, 0.05, 0.3)
    work = replace(work, pixels=capped)
    height = above_neck(face.model.identity.mean)
    labels = label_person(sight, face.model.regions, height, matte, work)
    inside = (matte > 0.97) & work.head
    high = (rows.min() + top) // 2
    assert labels.hair[:high][inside[:high]].mean() > 0.7
    middle = tuple(round(n) for n in work.middle[::-1])
    assert labels.skin[middle] > 0.9
    total = labels.hair + labels.skin + labels.clothes
    np.testing.assert_allclose(total[inside], 1.0, atol=1e-3)


def test_a_white_collar_before_a_neck_is_clothes_and_a_neck_in_shade_is_skin(
    known, sight, work, matte
):
    face = known.faces[0]
    person = Person(face, known.photo)
    neck = person.on_mesh(face.model.regions["neck"][:, None])[..., 0] > 0.9
    left = np.arange(neck.shape[1]) < np.nonzero(neck)[1].mean()
    pixels = work.pixels.copy()
    pixels[neck & left] = (0.95, 0.95, 0.97)
    pixels[neck & ~left] *= 0.5
    height = above_neck(face.model.identity.mean)
    work = replace(work, pixels=pixels)
    labels = label_person(sight, face.model.regions, height, matte, work)
    high = neck & (person.on_mesh(height[:, None])[..., 0] > 30)
    assert labels.clothes[high & left].mean() > 0.8
    assert labels.skin[high & ~left].mean() > 0.8


def test_the_neck_of_a_mesh_that_is_too_wide_is_not_of_the_person(known, sight, work):
    face = known.faces[0]
    neck = Person(face, known.photo).on_mesh(face.model.regions["neck"][:, None])[..., 0]
    green = work.pixels[0, 0]
    rows = np.arange(len(neck))[:, None]
    low = rows > np.nonzero((neck > 0.9).any(1))[0].min() + 8
    thin = (neck > 0.9) & low & (distance(work.head) < 0.055 * work.size)  # the wall, beside it
    other = replace(work, pixels=np.where(thin[..., None], green, work.pixels).astype(np.float32))
    found = [person_matte(sight, other, each)[thin].mean() for each in (0.0, neck)]
    assert thin.sum() > 200
    assert found[1] < 0.5 * found[0]
    face_only = work.head & (neck < 0.1) & (distance(work.head) > 0.03 * work.size)
    assert (person_matte(sight, other, neck)[face_only] == 1).all()


def test_hair_hangs_from_hair_and_not_from_a_line(work):
    rows, columns = np.mgrid[: work.pixels.shape[0], : work.pixels.shape[1]]
    x, y, size = *work.middle, work.size

    def box(left, top, right, bottom):
        inside = (columns > x + left * size) & (columns < x + right * size)
        return inside & (rows > y + top * size) & (rows < y + bottom * size)

    top, tress = box(-0.3, -0.5, 0.3, -0.2), box(-0.3, -0.3, -0.2, 0.4)
    line, neck = box(0.25, -0.3, 0.254, 0.3), box(0.15, 0.28, 0.35, 0.45)
    beard = np.zeros_like(top)
    found = segment_labels._hangs_together(1.0 * (top | tress | line | neck), beard, work)
    assert found[top].min() > 0.5
    assert found[tress].min() > 0.5
    assert found[neck].mean() < 0.1
    assert found[line & box(-1, -0.3, 1, -0.15)].min() > 0.5  # a strand
