from dataclasses import replace

import pytest
import torch
from torch.nn.functional import max_pool2d

from morphface.core.errors import ParameterError, ShapeError
from morphface.edit import Light, edit
from morphface.fit import FitResult
from morphface.fit.fitted import FittedFace
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render import Renderer
from morphface.render.sight import Sight
from morphface.render.unwrap import sample_photo
from morphface.rerender import Rerenderer, rerender
from morphface.rerender.bare import bare_skin
from morphface.rerender.face_layer import RIM_GROWTH, FaceLayer
from morphface.rerender.looks import Look, brightened, light_change, part_of
from morphface.rerender.seen_head import SeenHead
from morphface.rerender.shrink import shrunk
from morphface.rerender.turn import turning
from tests.rerender.heads import photographed

WALL = torch.tensor([0.35, 0.45, 0.6])
SIZE = (200, 220)


def neutral(model):
    face = edit(FaceParameters.neutral(), model=model, yaw=-12.0, pitch=4.0)
    light = torch.zeros(1, 9, 3)
    light[:, 3] = -0.25
    return replace(face, illumination=light, translation=torch.tensor([[5.0, 10.0, -900.0]]))


def draw(model, parameters, camera):
    look = Look.of(model, parameters)
    colours = model.albedo(parameters.reflectance)
    drawn = Renderer.of(model, camera)(
        look.vertices[None], colours=colours, illumination=parameters.illumination
    )
    return drawn.over(WALL)[0].clamp(0, 1), drawn.mask[0]


@pytest.fixture(scope="module")
def case():
    """A lit head before a wall, fitted perfectly: the face and its photo."""
    model, camera = load_model(), Camera.facing(SIZE, focal=500.0)
    parameters = neutral(model)
    pixels, _ = draw(model, parameters, camera)
    look = Look.of(model, parameters)
    points = camera.project(model.landmark_embedding("478").points(look.vertices))[:, :2]
    landmarks = Landmarks(points, "478", torch.ones(len(points)), box_of(points))
    fit = FitResult(parameters, camera, landmarks, points, 0.0, True, "", ())
    return FittedFace(fit, model, {}), Photo(pixels)


def psnr(a, b):
    return float(-10 * torch.log10((a - b).square().mean().clamp(min=1e-12)))


def test_an_edit_of_nothing_returns_the_photo(case):
    face, photo = case
    again = rerender(face, photo, face.parameters)[0]
    assert psnr(again, photo.pixels) > 100
    assert torch.equal((again * 255).round(), (photo.pixels * 255).round())


def test_an_edit_of_nothing_returns_any_photo_whatever_was_fitted(case):
    face, _ = case
    noise = torch.rand(*SIZE, 3, generator=torch.Generator().manual_seed(0))
    again = rerender(face, Photo(noise), face.parameters)[0]
    assert psnr(again, noise) > 60
    outside = draw(face.model, face.parameters, face.camera)[1] == 0
    assert torch.equal(again[outside], noise[outside])


def test_a_local_edit_changes_nothing_far_away(case):
    face, photo = case
    opened = edit(face.parameters, model=face.model, expression={"jawOpen": 0.6})
    changed = (rerender(face, photo, opened)[0] - photo.pixels).abs().amax(-1)
    screen = face.camera.project(Look.of(face.model, opened).vertices)[:, :2]
    chin, eyes = screen[:, 1].max(), face.predicted[[33, 263], 1].mean()
    assert changed.max() > 0.1
    assert changed[: int(eyes) - 12].max() < 0.5 / 255
    assert torch.equal(changed[int(chin) + 30 :], torch.zeros_like(changed[int(chin) + 30 :]))
    assert changed[:, :20].max() == 0


@pytest.mark.parametrize("change", [{"yaw": 8.0}, {"pitch": -8.0}, {"roll": 12.0}])
def test_a_turned_face_looks_as_if_it_were_photographed_so(case, change):
    face, photo = case
    turned = edit(face.parameters, model=face.model, **change)
    truth, _ = draw(face.model, turned, face.camera)
    seen = Renderer.of(face.model, face.camera)(
        Look.of(face.model, turned).vertices[None],
        colours=face.model.regions["face"][None, :, None].expand(1, -1, 3),
    ).colour[0, ..., 0]
    inside = seen > 0.99
    ours = rerender(face, photo, turned)[0]
    assert psnr(ours[inside], truth[inside]) > 27
    assert psnr(ours[inside], truth[inside]) > psnr(photo.pixels[inside], truth[inside]) + 4


def test_light_changes_the_head_and_not_the_wall(case):
    face, photo = case
    brighter = edit(face.parameters, model=face.model, light=1.3)
    truth, mask = draw(face.model, brighter, face.camera)
    ours = rerender(face, photo, brighter)[0]
    middle = (mask == 1) & (truth.amax(-1) < 0.7)
    assert (ours - truth).abs()[middle].median() < 0.03
    assert torch.equal(ours[0], photo.pixels[0])


@pytest.mark.parametrize("change", [{"yaw": 12.0}, {"light": Light(direction=(70.0, 0.0))}])
def test_the_light_of_the_head_does_not_fall_on_the_wall(case, change):
    face, photo = case
    turned = edit(face.parameters, model=face.model, **change)
    masks = [draw(face.model, p, face.camera)[1] for p in (face.parameters, turned)]
    person = torch.stack(masks).amax(0)[None, None]
    near = max_pool2d(person, 31, 1, 15)[0, 0] - max_pool2d(person, 9, 1, 4)[0, 0] > 0
    strange = (rerender(face, photo, turned)[0] - WALL).abs().amax(-1)[near]
    assert near.sum() > 2000
    assert (strange > 0.03).float().mean() < 0.01


def test_a_lid_that_closes_does_not_spread_its_edge(case):
    face, photo = case
    model, look = face.model, Look.of(face.model, face.parameters)
    layer = FaceLayer(SeenHead(face, photo, look), 1)
    weights = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    closed = Look.of(model, edit(face.parameters, model=model, expression=weights))
    screens = [face.camera.project(each.vertices) for each in (look, closed)]
    still, moved = (layer._growth(screen)[layer.head.rims[:, 0] > 0.9] for screen in screens)
    assert len(still) > 20
    assert still.max() < RIM_GROWTH[0]
    assert (moved > RIM_GROWTH[0]).float().mean() > 0.7
    assert moved.quantile(0.6) > 1.5


def test_frames_are_drawn_as_each_alone(case):
    face, photo = case
    both = edit(face.parameters, model=face.model, yaw=[0.0, 10.0])
    frames = rerender(face, photo, both)
    for k in range(2):
        alone = rerender(face, photo, both[k])[0]
        torch.testing.assert_close(frames[k], alone, atol=1e-6, rtol=0)


def test_a_plain_background_takes_the_place_of_the_wall(case):
    face, photo = case
    stage = Rerenderer(face, photo, "plain")
    found = stage(face.parameters)
    corner = found[:30, :30]
    assert (corner - corner.mean(-1, keepdim=True)).abs().max() < 1e-5  # grey
    mask = draw(face.model, face.parameters, face.camera)[1] == 1
    kept = (found - photo.pixels).abs().amax(-1)[mask]
    assert (kept < 0.02).float().mean() > 0.95


def test_a_picture_as_background_is_seen_around_the_head(case):
    face, photo = case
    behind = torch.zeros(*SIZE, 3)
    found = Rerenderer(face, photo, behind)(face.parameters)
    assert found[:25, :25].max() < 1e-6


def test_a_blurred_background_has_no_sharp_edge(case):
    face, photo = case
    lines = photo.pixels.clone()
    lines[:, :12] = torch.tensor([0.0, 1.0]).repeat(6)[None, :, None]
    found = Rerenderer(face, replace(photo, pixels=lines), "blurred")(face.parameters)
    assert lines[10, :12].diff(dim=0).abs().max() == 1
    assert found[10, :12].diff(dim=0).abs().max() < 0.2


def test_skin_is_bare_and_what_covers_it_is_not(case):
    face, photo = case
    hat = photo.pixels.clone()
    eyes = int(face.predicted[[33, 263], 1].mean())
    hat[: eyes - 22] = torch.tensor([0.05, 0.05, 0.3])
    seen = replace(face, pixels=explained(face))
    forehead = (face.model.identity.mean[:, 1] > 60) & (face.model.regions["face"] > 0.9)
    assert bare_skin(seen, photo)[forehead].mean() > 0.9
    assert bare_skin(seen, Photo(hat))[forehead].mean() < 0.2
    cheeks = face.model.regions["cheeks"] > 0.5
    assert bare_skin(seen, Photo(hat))[cheeks].mean() > 0.9


def test_a_side_that_is_not_seen_is_under_hair_as_the_other_is():
    face, photo = photographed({}, yaw=50.0)
    seen = replace(face, pixels=explained(face))
    x, y, z = face.model.identity.mean.unbind(-1)
    temple = (x.abs() > 50) & (y > 0) & (z > -60)
    shown, hidden = temple & (x < 0), temple & (x > 0)
    assert shown.sum() > 20
    assert bare_skin(seen, photo)[hidden].mean() > 0.5
    assert bare_skin(seen, photo, shown.float())[hidden].mean() < 0.35


def test_hair_that_is_seen_from_aside_tells_of_the_other_side():
    face, photo = photographed({}, yaw=40.0)
    vertices, model = face.vertices_in_camera(), face.model
    sight = Sight(photo.pixels, face.camera, vertices, model.faces)
    found = sample_photo(sight, vertices, vertex_normals(vertices, model.faces))
    temple = model.identity.mean[:, 1] > 0
    shown = found.visible & (found.confidence < 0.3) & temple
    hidden = ~found.visible & shown[model.mirror.long()]
    assert hidden.sum() > 10
    everywhere = replace(model, regions={**model.regions, "scalp": torch.ones(model.size)})
    seen = replace(face, pixels=explained(face))
    seen, none = replace(seen, model=everywhere), torch.zeros(model.size)
    known, told = (bare_skin(seen, photo, shown.float(), share, none) for share in (0.0, 1.0))
    grown = bare_skin(seen, photo, none, 1.0, none)
    assert told[hidden].mean() < min(known[hidden].mean(), grown[hidden].mean()) - 0.1


def test_a_scalp_that_is_not_seen_is_as_hairy_as_its_owner(case):
    face, photo = case
    seen = replace(face, pixels=explained(face))
    back = (face.model.regions["scalp"] > 0.9) & (face.model.identity.mean[:, 2] < -100)
    bald, hairy = (bare_skin(seen, photo, hairy=share)[back].mean() for share in (0.0, 1.0))
    assert hairy < 0.25 < 0.6 < bald


def test_ears_that_are_seen_are_bare_on_the_side_that_is_not(case):
    face, photo = case
    seen, model = replace(face, pixels=explained(face)), face.model
    ears, none = model.regions["ears"] > 0.9, torch.zeros(model.size)
    above = (model.identity.mean[:, 0].abs() > 50) & (model.identity.mean[:, 1] > 15)
    told = [
        bare_skin(seen, photo, none, 1.0, none, beside=above.float(), ears=shown)[ears].mean()
        for shown in (None, model.regions["ears"])
    ]
    assert told[1] > max(0.95, told[0] + 0.01)


def explained(face):
    from morphface.fit import PhotometricResult

    return PhotometricResult(
        parameters=face.parameters,
        cameras=(face.camera,),
        landmarks=(face.fit.landmarks,),
        predicted=(face.fit.predicted,),
        landmark_nme=(0.0,),
        photometric_rmse=(0.01,),
        energies={},
        history=(1.0,),
        albedo=face.model.albedo(face.parameters.reflectance)[0],
        iterations=1,
        occlusion=(torch.zeros(SIZE),),
        gain=torch.ones(1, 3),
        grey=(False,),
        converged=True,
        reason="",
    )


def test_a_shrunk_photo_has_the_same_face_at_the_same_place(case):
    face, photo = case
    from morphface.fit.fitted import FittedPhoto

    small = shrunk(FittedPhoto(photo, (replace(face, pixels=explained(face)),)), 110)
    assert small.photo.size == (100, 110)
    vertices = face.vertices_in_camera()
    here = face.camera.project(vertices)[:, :2]
    there = small.faces[0].camera.project(vertices)[:, :2]
    torch.testing.assert_close(there, here / 2, atol=1e-3, rtol=0)
    assert small.faces[0].pixels.occlusion[0].shape == (100, 110)
    assert shrunk(small, 500) is small


def test_a_part_of_a_picture_sees_the_same_points():
    camera = Camera.facing((100, 120), focal=150.0)
    points = torch.tensor([[10.0, 20.0, -300.0], [-30.0, 5.0, -280.0]])
    part = part_of(camera, (10, 20, 70, 80), 0.5)
    here, there = camera.project(points), part.project(points)
    moved = (here[:, :2] - torch.tensor([10.0, 20.0])) / 2
    torch.testing.assert_close(there[:, :2], moved)
    assert part.size == (30, 30)


def test_no_gain_leaves_colours_and_white_stays_within_range():
    colours = torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(brightened(colours, torch.ones(50, 3)), colours)
    assert brightened(torch.ones(1, 3), torch.full((1, 3), 3.0)).max() <= 1
    dark = brightened(colours, torch.full((50, 3), 0.5))
    torch.testing.assert_close(dark, colours / 2)


def test_what_is_held_back_keeps_its_hue():
    skin = torch.tensor([[0.8, 0.6, 0.5]])
    bright = brightened(skin, torch.full((1, 3), 1.6))
    assert bright.max() < 1
    torch.testing.assert_close(bright / bright.max(), skin / skin.max())


def test_a_turned_head_keeps_the_lower_end_of_its_neck(case):
    face, photo = case
    now = Look.of(face.model, face.parameters)
    seen = SeenHead(face, photo, now)
    parameters = edit(face.parameters, model=face.model, yaw=25.0)
    turned = Look.of(face.model, parameters)
    bent = seen.bent(turned, parameters).vertices
    lowest = turning(face.model) == 0
    height, depth = face.model.identity.mean[:, 1:].unbind(-1)
    assert lowest.any()
    torch.testing.assert_close(bent[lowest], now.vertices[lowest], atol=1e-3, rtol=0)
    nape = (depth < -120) & (height < -115)
    moved, whole = ((v - now.vertices)[nape].norm(dim=-1) for v in (bent, turned.vertices))
    assert (moved < 0.2 * whole).all()
    inner = face.model.regions["face"] > 0.5
    assert (bent - turned.vertices)[inner].norm(dim=-1).max() < 0.1
    assert torch.equal(seen.bent(now, face.parameters).vertices, now.vertices)


def test_turning_head_and_light_together_changes_no_shade(case):
    from morphface.geometry.spherical_harmonics import rotate_light

    face, _ = case
    look = Look.of(face.model, face.parameters)
    turn = torch.tensor([0.0, 0.4, 0.1])
    still = to_camera(look.vertices, turn, torch.zeros(3))
    together = Look(still, rotate_light(look.light[None], turn[None])[0])
    light, pose = light_change(face.model.faces, look, together)
    assert (light + pose).abs().max() < 0.35  # each is bent towards its limit on its own
    alone = sum(light_change(face.model.faces, look, Look(still, look.light)))
    assert (light + pose).abs().mean() < 0.3 * alone.abs().mean()


@pytest.mark.refusal
def test_what_cannot_be_drawn_is_refused(case):
    face, photo = case
    with pytest.raises(ParameterError, match="background must be one of original, blurred, plain"):
        rerender(face, photo, face.parameters, background="beach")
    with pytest.raises(ShapeError, match="background must have shape"):
        rerender(face, photo, face.parameters, background=torch.zeros(5, 5, 3))
    other = Camera.facing((50, 60))
    with pytest.raises(ParameterError, match="camera must have the size of the photo"):
        rerender(face, photo, face.parameters, camera=other)
