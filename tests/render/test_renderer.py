import math
import re
from pathlib import Path

import pytest
import torch

import morphface
from morphface.core.errors import BackendError, ParameterError, ShapeError
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.render import Renderer, Texture, sample_texture, shade_sh
from tests.toy import sphere

EXAMPLES = Path(morphface.__file__).parent / "render" / "EXAMPLES.md"
RADIUS, AWAY = 100.0, 500.0
CENTRE = torch.tensor([0.0, 0.0, -AWAY])
CAMERA = Camera.facing((60, 80))
LIMB = 120 * RADIUS / math.sqrt(AWAY**2 - RADIUS**2)  # focal x tangent of the cone around the ball
UNIT, FACES = sphere(30, 40)
UV = 0.5 + 0.4 * UNIT[:, :2]


@pytest.fixture
def renderer():
    return Renderer(FACES, CAMERA, uv=UV)


@pytest.fixture
def ball():
    """Half a metre away, in a picture that it nearly fills."""
    return (UNIT * RADIUS + CENTRE)[None]


@pytest.fixture
def light(rng):
    return 0.2 * torch.randn(1, 9, 3, generator=rng)


def centres():
    y, x = torch.meshgrid(torch.arange(60) + 0.5, torch.arange(80) + 0.5, indexing="ij")
    return torch.stack([x, y], dim=-1)


def inside(margin):
    return (centres() - torch.tensor([40.0, 30.0])).norm(dim=-1) < LIMB - margin


def test_a_ball_is_round_smooth_and_without_cracks(renderer, ball):
    drawn = renderer(ball)
    mask, grey = drawn.mask[0], drawn.colour[0].mean(-1)
    assert (mask[inside(1)] == 1).all()
    assert (mask[~inside(-1)] == 0).all()
    assert mask.sum().item() == pytest.approx(math.pi * LIMB**2, rel=5e-3)
    step = (grey[:, 1:] - grey[:, :-1]).abs()[inside(3)[:, 1:]]
    assert step.max() < 0.12


def test_weak_perspective_shows_a_ball_at_its_own_size(ball):
    weak = Camera(CAMERA.focal, CAMERA.principal, CAMERA.size, weak_depth=torch.tensor(AWAY))
    area = Renderer(FACES, weak)(ball).mask.sum().item()
    assert area == pytest.approx(math.pi * (120 * RADIUS / AWAY) ** 2, rel=5e-3)


def test_depth_and_normals_are_those_of_a_ball(renderer, ball):
    drawn = renderer(ball)
    screen = torch.cat([centres(), drawn.depth[0][..., None]], dim=-1)[inside(2)]
    point = CAMERA.unproject(screen) - CENTRE
    torch.testing.assert_close(
        point.norm(dim=-1) / RADIUS, torch.ones(len(point)), atol=0.01, rtol=0
    )
    torch.testing.assert_close(drawn.normals[0][inside(2)], point / RADIUS, atol=0.03, rtol=0)
    assert drawn.depth[0][~inside(-1)].isposinf().all()
    assert (drawn.normals[0][~inside(-1)] == 0).all()
    assert drawn.normals is drawn.normals


def test_without_anti_aliasing_pixels_are_covered_or_not(renderer, ball):
    hard = renderer.replace(antialias=False)(ball)
    soft = renderer(ball)
    assert set(hard.mask.unique().tolist()) == {0.0, 1.0}
    assert ((soft.mask > 0) & (soft.mask < 1)).sum() > 100
    core = inside(2)
    assert torch.equal(hard.colour[0][core], soft.colour[0][core])


def test_colours_are_shown_as_they_are_times_the_mask(renderer, ball):
    colour = torch.tensor([0.2, 0.5, 0.7, 0.9])
    drawn = renderer(ball, colours=colour.expand(1, len(UNIT), 4))
    torch.testing.assert_close(drawn.colour, drawn.mask[..., None] * colour)


def test_over_puts_the_mesh_before_a_picture(renderer, ball, rng):
    picture = torch.rand(60, 80, 3, generator=rng)
    drawn = renderer(ball, colours=torch.ones(1, len(UNIT), 3))
    whole, half = drawn.over(picture)[0], drawn.over(picture, 0.5)[0]
    torch.testing.assert_close(whole, torch.lerp(picture, torch.ones(3), drawn.mask[0, ..., None]))
    torch.testing.assert_close(half, (whole + picture) / 2)
    assert torch.equal(drawn.over(picture[None])[0], whole)


def test_light_on_vertex_colours_is_that_of_shade_sh(renderer, ball, light, rng):
    albedo = torch.rand(1, len(UNIT), 3, generator=rng)
    for linear in (False, True):
        shaded = shade_sh(albedo, vertex_normals(ball, FACES), light, linear_light=linear)
        lit = renderer.replace(linear_light=linear)(ball, colours=albedo, illumination=light)
        torch.testing.assert_close(lit.colour, renderer(ball, colours=shaded).colour)


def test_light_on_a_texture_is_that_on_the_same_vertex_colours(renderer, ball, light):
    colour = torch.tensor([0.3, 0.5, 0.8])
    for linear in (False, True):
        drawn = renderer.replace(linear_light=linear)
        flat = drawn(ball, colours=colour.expand(1, len(UNIT), 3), illumination=light)
        textured = drawn(ball, texture=colour.expand(1, 4, 4, 3), illumination=light)
        assert (textured.colour - flat.colour).abs().mean() < 2e-3


def test_clay_under_a_light_takes_its_colours(renderer, ball, light):
    clay = renderer(ball, illumination=light).colour
    assert not torch.allclose(clay, renderer(ball).colour)
    assert clay[0, 30, 40].std() > 1e-3


def test_a_texture_of_its_own_coordinates_shows_uv(renderer, ball):
    size = 64
    u = ((torch.arange(size) + 0.5) / size).expand(size, size)
    texture = torch.stack([u, 1 - u.T], dim=-1)[None]
    drawn = renderer(ball, texture=texture)
    core = inside(2)
    torch.testing.assert_close(drawn.colour[0][core], drawn.uv[0][core])
    torch.testing.assert_close(
        drawn.uv[0], sample_texture(texture, drawn.uv)[0] * (drawn.uv[0] > 0)
    )
    assert drawn.uv[0, 30, 70, 0] == 0
    assert drawn.uv[0, 30, 60, 0] > drawn.uv[0, 30, 20, 0]


def test_texture_coordinates_may_have_their_own_faces(renderer, ball):
    order = torch.arange(len(UV)).flip(0)
    other = Renderer(FACES, CAMERA, uv=UV[order], uv_faces=order[FACES])
    assert torch.equal(other(ball).uv, renderer(ball).uv)


def test_a_texture_with_levels_is_smoother_from_afar(renderer, ball):
    rows = torch.arange(256)
    board = ((rows[:, None] + rows) % 2).float()[None, ..., None]
    far = renderer.replace(camera=Camera.facing((60, 80), focal=60.0))
    sharp, smooth = far(ball, texture=board).colour, far(ball, texture=Texture.of(board)).colour
    core = far(ball).mask == 1
    assert smooth[core].std() < 0.3 * sharp[core].std()
    assert smooth[core].mean().item() == pytest.approx(0.5, abs=0.02)


def test_a_batch_gives_what_its_meshes_give_alone(renderer, ball, rng):
    balls = torch.cat([ball, ball + torch.tensor([20.0, -10, -60])])
    colours = torch.rand(2, len(UNIT), 3, generator=rng)
    both = renderer(balls, colours=colours)
    for k in range(2):
        alone = renderer(balls[k : k + 1], colours=colours[k : k + 1])
        torch.testing.assert_close(alone.colour[0], both.colour[k])
        torch.testing.assert_close(alone.normals[0], both.normals[k])
    shared = renderer(balls, colours=colours[:1])
    torch.testing.assert_close(shared.colour[0], both.colour[0])


@pytest.mark.parametrize("kind", ["colours", "light", "texture"])
def test_gradient_of_a_pose_is_that_of_finite_differences(kind, light, rng):
    renderer = Renderer(FACES, CAMERA, uv=UV.double())
    weight = torch.rand(60, 80, 3, generator=rng, dtype=torch.float64)
    weight = torch.nn.functional.avg_pool2d(weight.permute(2, 0, 1), 9, 1, 4).permute(1, 2, 0)
    shape = UNIT.double() * torch.tensor([80.0, 100.0, 60.0])
    colours = 0.5 + 0.4 * UNIT.double()[None]
    surface = {"colours": colours}
    if kind == "texture":
        surface = {"texture": colours[:, :300].reshape(1, 15, 20, 3)}
    if kind != "colours":
        surface["illumination"] = light.double()

    def loss(pose):
        vertices = to_camera(shape, pose[:3], pose[3:] * 100 + CENTRE)
        return (renderer(vertices[None], **surface).colour * weight).sum()

    pose = torch.tensor([0.1, -0.2, 0.3, 0.02, 0.05, -0.1], dtype=torch.float64)
    (grad,) = torch.autograd.grad(loss(pose.requires_grad_()), pose)
    steps = 1e-4 * torch.eye(6, dtype=torch.float64)
    with torch.no_grad():
        want = torch.stack([(loss(pose + step) - loss(pose - step)) / 2e-4 for step in steps])
    torch.testing.assert_close(grad, want, rtol=0.02, atol=0.005 * want.abs().max().item())


def test_gradients_reach_everything_that_is_given(renderer, ball, light):
    vertices, light = ball.requires_grad_(), light.requires_grad_()
    texture = torch.rand(1, 8, 8, 3, requires_grad=True)
    drawn = renderer(vertices, texture=texture, illumination=light)
    (drawn.colour.square().mean() + drawn.normals[..., 0].mean()).backward()
    for given in (vertices, light, texture):
        assert given.grad.isfinite().all()
        assert given.grad.abs().max() > 0
    assert not drawn.detach().colour.requires_grad


def test_a_model_brings_its_faces_and_the_topology_is_kept(toy):
    renderer = Renderer.of(toy, CAMERA)
    drawn = renderer(toy.identity.mean[None] + CENTRE)
    assert 0.1 < drawn.mask.mean() < 0.9
    other = renderer.replace(camera=Camera.facing((8, 9)))
    assert other.topology is renderer.topology
    assert other(toy.identity.mean[None] + CENTRE).colour.shape == (1, 8, 9, 3)
    fewer = renderer.replace(faces=toy.faces[::2])
    assert len(fewer.topology.ring) == len(toy.faces[::2])


@pytest.mark.refusal
def test_a_texture_beside_colours_or_without_coordinates_is_refused(renderer, ball):
    texture = torch.zeros(1, 2, 2, 3)
    with pytest.raises(ParameterError, match="texture cannot be drawn: colours are given too"):
        renderer(ball, texture=texture, colours=torch.zeros(1, len(UNIT), 3))
    with pytest.raises(ParameterError, match="texture cannot be drawn: there is no uv"):
        Renderer(FACES, CAMERA)(ball, texture=texture)


@pytest.mark.refusal
def test_an_unknown_backend_is_refused(renderer, ball):
    with pytest.raises(BackendError, match="unknown backend 'opengl'"):
        renderer.replace(backend="opengl")(ball)


@pytest.mark.refusal
def test_coordinates_that_are_not_there_are_refused(ball):
    with pytest.raises(ParameterError, match="no texture coordinates; pass uv to Renderer"):
        _ = Renderer(FACES, CAMERA)(ball).uv


@pytest.mark.refusal
def test_shapes_that_do_not_fit_are_refused(renderer, ball):
    with pytest.raises(
        ShapeError, match=r"uv_faces must have shape \(..., 2320, 3\), got \(7, 3\)"
    ):
        renderer.replace(uv_faces=FACES[:7])
    with pytest.raises(ShapeError, match=r"faces must have shape \(..., any, 3\)"):
        Renderer(FACES[:, :2], CAMERA)
    with pytest.raises(ShapeError, match=r"vertices must have shape \(..., any, any, 3\), got"):
        renderer(ball[0])


@pytest.fixture(scope="module")
def examples():
    """What each documented example leaves behind, by name."""
    blocks = re.findall(r"<!-- example: (\w+) -->\n```python\n(.*?)```", EXAMPLES.read_text(), re.S)
    names, results = {}, {}
    for name, code in blocks:
        exec(compile(code, f"{EXAMPLES.name}: {name}", "exec"), names)
        results[name] = dict(names)
    return results


@pytest.mark.slow
def test_the_example_recovers_the_colours_of_seen_vertices(examples):
    found = examples["colours"]
    shown = found["draw"](found["rotation"], found["translation"], colours=found["colours"])
    assert (shown.colour - found["target"].colour).abs().mean() < 1e-3
    assert found["left"] < 1e-5


@pytest.mark.slow
def test_the_example_recovers_a_pose(examples):
    found = examples["pose"]
    torch.testing.assert_close(found["turned"].detach(), found["rotation"], atol=2e-3, rtol=0)
    torch.testing.assert_close(found["moved"].detach(), found["translation"], atol=0.5, rtol=0)


@pytest.mark.slow
def test_the_example_recovers_a_shape_from_its_silhouette(examples):
    found = examples["silhouette"]
    instance, outlines = found["model"].identity.instance, found["outlines"]

    def error(identity):
        moved = instance(identity.detach()) - instance(found["truth"])
        return (outlines(identity).detach() - found["seen"]).abs().mean(), moved.norm(dim=-1).mean()

    before, after = error(torch.zeros(80)), error(found["identity"])
    assert after[0] < 0.15 * before[0]
    assert after[1] < 0.65 * before[1]
