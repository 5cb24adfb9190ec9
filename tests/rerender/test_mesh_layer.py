"""The mesh of a head that turns: the photo itself at rest, and texture that goes on from it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import max_pool2d

from morphface.edit import edit
from morphface.media.images import Photo
from morphface.render import Renderer
from morphface.render.warp import centres, look_up
from morphface.rerender import Rerenderer
from morphface.rerender.bare import continued
from morphface.rerender.beards import Beard
from morphface.rerender.grain import DARK, REACH, Grain, fine_light
from morphface.rerender.looks import Look, facing
from morphface.rerender.lookup import boxed, enlarged_fast, evened, looked_up, softened, steps
from morphface.rerender.mesh_layer import Drawn, MeshLayer, _without_lines
from morphface.rerender.mesh_skin import MeshSkin
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.skin_light import under_sky
from morphface.rerender.turn import Turn


@pytest.fixture(scope="module")
def stage(known):
    return Rerenderer(known.faces[0], known.photo)


def test_a_head_at_rest_is_the_photo(stage):
    layer, head = stage._mesh, stage._head
    drawn = layer.draw(head.look, stage.face.camera, 0.0)
    left, top = drawn.corner
    height, width = drawn.over.shape[:2]
    photo = stage.photo.pixels[top : top + height, left : left + width]
    shown = (drawn.over > 0.99) & (drawn.trust > 0.999)
    assert shown.float().mean() > 0.15
    assert (drawn.colour - photo).abs()[shown[..., 0]].max() < 0.02


def test_a_line_that_is_not_trusted_is_trusted_and_an_area_is_not():
    trust = torch.ones(12, 12, 1)
    trust[:, 3] = 0.2
    trust[5:, 6:] = 0.4
    found = _without_lines(trust)
    assert torch.equal(found[:, :5], torch.ones(12, 5, 1))
    assert torch.equal(found[6:, 7:], trust[6:, 7:])


def test_texture_meets_a_photo_that_is_darker_than_the_fit_without_a_step(known):
    darker = Photo(0.7 * known.photo.pixels)
    skin = Rerenderer(known.faces[0], darker)._mesh._skin
    sure = skin.weight * (1 - skin.other) > 0.8
    seen = look_up(darker.pixels[None], skin.places[None, None], "bilinear")[0, 0]
    before = (skin.lit - seen).abs()[sure].mean()
    after = (skin.painted - seen).abs()[sure].mean()
    assert sure.sum() > 100
    assert after < 0.3 * before


def test_values_go_on_over_a_mesh_and_end_far_away():
    side = 30
    node = torch.arange(side * side).reshape(side, side)
    a, b, c, d = node[:-1, :-1], node[:-1, 1:], node[1:, :-1], node[1:, 1:]
    faces = torch.cat([torch.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])
    weight = (node[:, 0] < 0)[:, None].float().expand(side, side).clone()
    weight[:, 0] = 1
    values = torch.full((side * side, 2), 0.7)
    found = continued(faces, values, weight.flatten()).reshape(side, side, 2)
    assert (found[:, 0] - 0.7).abs().max() < 0.03
    assert 0.5 < found[15, 3, 0] < 0.7
    assert bool((found[15].diff(dim=0) < 0).all())


def test_quick_look_ups_are_those_of_torch(rng):
    picture = torch.rand(20, 30, 3, generator=rng)
    place = torch.rand(15, 15, 2, generator=rng) * torch.tensor([30.0, 20.0])
    place = (place * 32).round() / 32 + 1 / 64  # OpenCV counts in parts of 32
    for cubic, mode in ((False, "bilinear"), (True, "bicubic")):
        want = look_up(picture[None], place[None], mode)[0]
        got = looked_up(np.ascontiguousarray(picture.numpy()), place, cubic=cubic)
        assert (got - want).abs().max() < 0.06
        assert (got - want).abs().mean() < 0.015


def test_a_plane_stays_a_plane_when_it_is_enlarged():
    y, x = np.mgrid[:8, :6].astype(np.float32) + 0.5
    coarse = np.stack([x, y], -1)
    fine = enlarged_fast(coarse, (32, 24))
    y, x = (np.mgrid[:32, :24].astype(np.float32) + 0.5) / 4
    inner = slice(4, -4), slice(4, -4)
    np.testing.assert_allclose(fine[inner], np.stack([x, y], -1)[inner], atol=1e-5)


def test_an_outline_is_soft_where_a_surface_folds_and_elsewhere_as_it_was():
    place = centres(12, 12, torch.zeros(1))
    assert (steps(place)[:-1] == 1).all()
    place[6:, :, 1] += 30
    folded = steps(place) > 4
    alpha = torch.zeros(12, 12, 1)
    alpha[:6] = 1
    alpha[:, :2] = 0.5
    soft = softened(alpha, folded)
    assert 0.3 < soft[5, 8, 0] < 0.9
    assert torch.equal(soft[:2], alpha[:2])
    assert torch.equal(softened(alpha, torch.zeros_like(folded)), alpha)


def test_a_side_that_is_not_seen_varies_as_the_other_does(stage):
    head = stage._head
    skin = MeshSkin(head)
    x, y, _ = head.face.model.identity.mean.unbind(-1)
    left = x > 5
    spot = 0.4 * torch.exp(-((x.abs() - 40) ** 2 + (y + 40) ** 2) / 400)
    difference = (spot + 0.1)[:, None].expand(-1, 3)
    weight = (skin.weight > 0.5).float() * ~left
    vars(skin).update(weight=weight, _difference=difference, other=torch.zeros_like(x))
    cheek = left & (spot > 0.2) & (weight[skin.twin] > 0)
    assert cheek.sum() > 10
    assert (skin._correction - difference).abs()[cheek].mean() < 0.25 * spot[cheek].mean()


def test_a_beard_goes_on_where_the_photo_does_not_show_it(stage):
    head, model = SeenHead(stage.face, stage.photo, stage._head.look), stage.face.model
    person, region = head.person, model.regions["beard"]
    grown = person.on_mesh(region[:, None])[..., 0] > 0.5
    labels = replace(person.labels, hair=np.single(grown), skin=np.single(~grown))
    brown = np.array([0.3, 0.2, 0.1], np.single)
    colours = np.where(grown[..., None], brown, person.colours)
    vars(person).update(labels=labels, colours=colours, bearded=np.single(grown))
    skin = MeshSkin(head)
    beard = Beard(person, skin._bearded, skin.weight, skin.twin)
    beside = (region > 0.99) & (head.visible < 0.5)
    assert beside.sum() > 8
    assert beard.share[beside].mean() > 0.8
    assert beard.share[model.identity.mean[:, 1] > 0].max() == 0
    white = torch.ones(model.size, 3)
    found = beard.over(white)[(region > 0.99) & (beard.share > 0.9)].mean(0)
    torch.testing.assert_close(found, torch.from_numpy(brown), atol=0.05, rtol=0)
    shaven = replace(beard, shown=torch.zeros(model.size))
    assert torch.equal(shaven.over(white), white)


def test_what_no_photo_shows_below_a_jaw_is_darker_than_a_cheek_and_the_face_is_not(stage):
    skin = MeshSkin(stage._head)
    model = stage.face.model
    x, y, _ = model.identity.mean.unbind(-1)
    hidden = skin._throat * (1 - skin.weight)
    left = under_sky(model, hidden)[:, 0]
    assert left[hidden == 0].min() == 1
    face = torch.maximum(model.regions["face"], model.regions["ears"]) > 0.99
    assert left[face].min() > 0.99
    below = (hidden > 0.8) & (y > -110) & (x.abs() > 30)
    assert below.sum() > 10
    assert 0.6 < left[below].mean() < 0.95


def test_colours_of_a_mesh_go_on_beside_it_and_nowhere_else():
    y, x = torch.meshgrid(torch.arange(60), torch.arange(60), indexing="ij")
    inside = (((x - 30) ** 2 + (y - 30) ** 2) < 15**2)[..., None].float()
    blank, brown = torch.zeros(60, 60, 1), torch.tensor([0.5, 0.3, 0.2])
    drawn = Drawn((5, 0), inside * brown, blank, inside, blank, torch.zeros(60, 60, 2))
    colour, share = drawn.beyond(torch.zeros(60, 70, 3), (0, 0), 3.0)
    away = ((torch.arange(70)[None] - 35) ** 2 + (torch.arange(60)[:, None] - 30) ** 2).sqrt() - 15
    beside = (away > 1) & (away < 4)
    torch.testing.assert_close(
        colour[beside], brown.expand(int(beside.sum()), 3), atol=1e-3, rtol=0
    )
    assert share[beside].min() > 0.5
    assert share[away < -1].max() == 0
    assert share[away > 12].max() < 0.01


def test_what_repeats_over_skin_is_finer_than_spots_and_wrinkles(known):
    face, size = known.faces[0], known.photo.size
    head = SeenHead(face, known.photo, Look.of(face.model, face.parameters))
    large = head.person.work.size / head.person.work.scale
    wave = 0.04 * large
    across = 0.1 * torch.sin(2 * torch.pi * torch.arange(size[1]) / wave)
    striped = (0.5 + across)[None, :, None].expand(*size, 3)
    grain = Grain(torch.zeros(1, 2), torch.tensor([size[1] / 2, size[0] / 2]), 2.0 * torch.eye(2))
    fine, corner = fine_light(striped, grain, large)
    edge = int((grain.middle - grain.reach - corner).max())
    inner = fine[edge:-edge, edge:-edge]
    assert min(inner.shape[:2]) >= 4 * REACH - 2
    assert inner.std() < 0.25 * across.std() / (0.5 + DARK)  # 0.18 by its transform


def test_what_is_before_a_face_is_found_at_its_vertices(known):
    face, photo = known.faces[0], known.photo
    cover = torch.zeros(photo.size)
    cover[:, : photo.size[1] // 2] = 1
    seen = SimpleNamespace(occlusion=(cover,), cameras=(face.camera,), parameters=face.parameters)
    hidden = replace(face, pixels=seen)
    head = SeenHead(hidden, photo, Look.of(face.model, face.parameters))
    skin = MeshSkin(head)
    left = skin.places[:, 0] < photo.size[1] / 2 - 1
    free = head.visible * (1 - skin.clothed)
    torch.testing.assert_close(skin.covered[left], free[left])
    assert skin.covered[skin.places[:, 0] > photo.size[1] / 2 + 1].max() == 0


def test_what_is_before_a_face_is_no_skin_and_goes_with_it_as_a_whole(stage):
    face, look = stage.face, stage._head.look
    wanted = Look.of(face.model, edit(face.parameters, model=face.model, yaw=-20.0))
    layers = [MeshLayer(SeenHead(face, stage.photo, look)) for _ in range(2)]
    before = layers[1]._trust(wanted, face.camera)[:, 0]
    here = (before > 0.2) & (before < 0.8)  # half of it would be seen
    assert here.sum() > 10
    vars(layers[0]._skin)["covered"] = here.float()
    after = layers[0]._trust(wanted, face.camera)[:, 0]
    assert layers[0]._skin.weight[here].max() == 0
    assert after[here].mean() > before[here].mean() + 0.1
    found = [layer.draw(wanted, face.camera, 0.3) for layer in layers]
    assert found[0].trust.sum() < 0.99 * found[1].trust.sum()  # it is seen, what it hides is not


def test_someone_moved_far_goes_with_all_of_their_body(known):
    face = known.faces[0]
    near = edit(face.parameters, model=face.model, yaw=-5.0)
    far = replace(near, translation=near.translation + torch.tensor([200.0, 0.0, 0.0]))
    assert Turn.between(face.parameters, near).far < 0.05
    assert Turn.between(face.parameters, far).far == 1.0


def test_a_view_has_no_hole_within_the_head(stage):
    face = stage.face
    wanted = edit(face.parameters, model=face.model, yaw=-15.0)
    _, sure = stage.with_confidence(wanted)
    look = stage._head.bent(Look.of(face.model, wanted), wanted)
    head = Renderer.of(face.model, face.camera)(look.vertices[None]).mask
    inner = -max_pool2d(-(head > 0.99).float()[:, None], 9, 1, 4)[0, 0] > 0
    inner[int(0.6 * len(inner)) :] = False  # a neck that ends at nothing fades
    assert inner.sum() > 1000
    assert (sure[..., 0][inner] > 0.1).float().mean() > 0.995


def test_a_collar_before_the_jaw_stays_with_the_body(known):
    stage = Rerenderer(known.faces[0], known.photo)
    person = stage._head.person
    blank = np.zeros_like(person.labels.skin)
    skin = stage._mesh._skin
    vars(skin)["clothed"] = torch.ones_like(skin.covered)
    layer = stage._mesh.draw(stage._head.look, stage.face.camera, 0.0)
    assert layer is not None
    assert layer.over.max() < 1e-6
    whole = MeshSkin(stage._head)
    vars(person)["labels"] = replace(person.labels, hair=blank, skin=blank, clothes=blank + 1)
    inside = (whole._inside > 0.9) & (stage._head.visible > 0.5) & (whole.feature < 0.1)
    assert whole.clothed[inside].median() > 0.9
    assert whole.clothed[whole.feature > 0.99].max() < 0.02


def test_a_side_in_the_shade_is_no_picture_of_the_one_in_the_light(stage):
    shares = []
    for brighter in (0.0, 1.0):
        skin = MeshSkin(stage._head)
        vars(skin)["painted"] = torch.full_like(skin.lit, 0.4)
        level = float(0.44 * np.exp(-brighter) - 0.04)
        vars(skin)["_smooth_photo"] = torch.full_like(skin.lit, level)
        vars(skin).update(
            weight=torch.ones_like(skin.feature),
            other=torch.zeros_like(skin.feature),
            _bearded=torch.zeros_like(skin.feature),
        )
        shares.append(skin.detail[2].max())
    assert shares[0] > 0.9
    assert shares[1] == 0


def test_what_is_strange_where_skin_is_seen_from_aside_is_not_smeared_over_a_turned_cheek(stage):
    head = stage._head
    wanted = Look.of(head.face.model, edit(head.face.parameters, model=head.face.model, yaw=25.0))
    cosine = facing(head.face.model.faces, head.look, head.face.camera)
    skin = MeshSkin(head)
    rim = (cosine < 0.55) & (cosine > 0.2) & (skin.weight > 0.2) & (skin.places[:, 0] < 150)
    difference = torch.where(rim[:, None], skin._difference + 0.7, skin._difference)
    assert rim.sum() > 10
    layers = [MeshLayer(head) for _ in range(2)]
    for layer, seen in zip(layers, (skin._difference, difference), strict=True):
        vars(layer._skin).update(_difference=seen, other=torch.zeros_like(cosine))
    usual, strange = (layer._skin for layer in layers)
    assert usual.strange[rim].mean() < 0.3
    assert strange.strange[rim].mean() > 0.8
    assert strange.strange[cosine > 0.9].max() < 0.2  # the middle of a face is never
    trusts = [layer._trust(wanted, head.face.camera)[:, 0] for layer in layers]
    after = facing(head.face.model.faces, wanted, head.face.camera)
    opened = rim & (after > cosine + 0.1) & (trusts[0] > 0.3)
    assert opened.sum() > 3
    assert trusts[1][opened].mean() < 0.5 * trusts[0][opened].mean()
    rest = layers[1]._trust(head.look, head.face.camera)[:, 0]
    assert torch.equal(rest, layers[0]._trust(head.look, head.face.camera)[:, 0])  # seen as it is
    assert (strange._correction - usual._correction)[rim].abs().mean() < 0.2


def test_the_other_side_stands_in_only_where_it_is_not_seen_from_aside_either(stage):
    skin = MeshSkin(stage._head)
    vars(skin).update(weight=torch.ones_like(skin.feature), other=torch.zeros_like(skin.feature))
    twin = skin.twin
    cosine = facing(stage.face.model.faces, stage._head.look, stage.face.camera)[twin]
    share = skin.detail[2][:, 0]
    assert share[cosine < 0.5].max() == 0
    assert share[cosine > 0.8].max() > 0.9


@pytest.mark.parametrize("shown", [True, False])
def test_ears_that_are_not_drawn_hide_nothing(stage, shown):
    model = stage.face.model
    ears = model.regions["ears"]
    person = SimpleNamespace(ears=ears if shown else torch.zeros_like(ears))
    head = SimpleNamespace(face=stage.face, person=person)
    used = torch.zeros(model.size, dtype=torch.bool)
    used[MeshLayer(head)._faces.long().flatten()] = True
    inner = torch.ones(model.size, dtype=torch.bool)  # whose faces are all of ears alone
    inner[model.faces[(ears[model.faces] < 0.5).any(-1)].long().flatten()] = False
    assert inner.sum() > 50
    assert bool(used[inner].all()) is shown
    assert bool(used[ears < 0.5].all())


def test_stairs_along_a_line_are_evened_and_nothing_else():
    picture = torch.zeros(9, 12, 3)
    picture[:, 6:] = 1.0
    line = torch.zeros(9, 12, 1, dtype=torch.bool)
    line[4, 6] = True
    found = evened(picture, line)
    assert torch.equal(found[:3], picture[:3])
    assert torch.equal(found[:, 8:], picture[:, 8:])
    torch.testing.assert_close(found[4, 5:8, 0], torch.tensor([1 / 3, 2 / 3, 1.0]))
    assert evened(picture, line & False) is picture


def test_the_box_of_a_picture_holds_all_of_it_and_no_more():
    picture = torch.zeros(9, 12, 1)
    assert picture[boxed(picture)].numel() == 0
    picture[2:5, 7] = 0.1
    picture[4, 3] = -1.0
    assert boxed(picture) == (slice(2, 5), slice(3, 8))
