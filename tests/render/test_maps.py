"""Maps of the surface: colour, light, correspondence and place."""

from dataclasses import replace

import pytest
import roma
import torch

from morphface.core.errors import ModelError, ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.geometry.spherical_harmonics import irradiance, sh_basis
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render import Renderer, rasterize, shade_pixels
from morphface.render.backends import threads
from morphface.render.maps import (
    LABELS,
    MAP_NAMES,
    MapSet,
    correspondence_code,
    decode_face_index,
    render_maps,
)
from morphface.render.maps.code import encode_face_index
from morphface.render.maps.scene import posed, scene_of
from morphface.render.maps.surface import _shaded, light

SIZE = (96, 96)
CAMERA = Camera.facing(SIZE, focal=210.0)
PLAIN = tuple(name for name in MAP_NAMES if name != "detail")  # which needs relief
SURFACE = tuple(name for name in PLAIN if name not in ("gaze", "uv", "parsing"))


@pytest.fixture(scope="module")
def head():
    return load_model("open-head")


def faces_of(model, frames=1, seed=0, **groups):
    """Parameters of a random face in random poses."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape, scale):
        return torch.randn(*shape, generator=rng) * scale

    away = torch.tensor([0.0, 0.0, -600.0])
    ranks = model.identity.rank, model.expression.rank, model.reflectance.rank
    made = {
        "identity": draw(1, ranks[0], scale=0.7),
        "expression": draw(frames, ranks[1], scale=0.3).clamp(0, 1),
        "reflectance": draw(1, ranks[2], scale=0.7),
        "illumination": draw(frames, 9, 3, scale=0.1),
        "rotation": draw(frames, 3, scale=0.2),
        "translation": away + draw(frames, 3, scale=8.0),
        "gaze": draw(frames, 2, 2, scale=0.15),
    }
    return FaceParameters(**(made | groups))


@pytest.fixture(scope="module")
def face(toy):
    return faces_of(toy)


def rotated(illumination, matrix):
    """The light that falls on turned normals as the light fell on the normals."""
    normals = torch.nn.functional.normalize(
        torch.randn(60, 3, generator=torch.Generator().manual_seed(1)), dim=-1
    )
    return torch.linalg.lstsq(
        sh_basis(normals @ matrix.T), sh_basis(normals) @ illumination
    ).solution


def test_constant_light_gives_constant_shading(toy, face):
    lit = replace(face, illumination=torch.zeros(1, 9, 3) + torch.eye(9)[0][:, None] * 0.3)
    maps = render_maps(toy, lit, CAMERA, ("shading", "mask"))
    inside = maps["shading"][maps["mask"][..., 0] > 0]
    wanted = irradiance(lit.illumination, torch.tensor([[[0.0, 0.0, 1.0]]])) / 2
    torch.testing.assert_close(inside, wanted[0].expand_as(inside))


def test_turning_head_and_light_together_turns_the_picture(toy, face):
    """By a quarter, which takes pixel centres to pixel centres."""
    quarter = torch.tensor([[0.0, 0.0, torch.pi / 2]])
    matrix = roma.rotvec_to_rotmat(quarter)[0]
    turned = replace(
        face,
        rotation=roma.rotvec_composition([quarter, face.rotation]),
        translation=face.translation @ matrix.T,
        illumination=rotated(face.illumination[0], matrix)[None],
    )
    before = render_maps(toy, face, CAMERA, ("shading", "diffuse", "mask"))
    after = render_maps(toy, turned, CAMERA, ("shading", "diffuse", "mask"))
    same = before["mask"].rot90(1, (1, 2)) == after["mask"]
    assert same.float().mean() > 0.998
    for name in ("shading", "diffuse"):
        off = (before[name].rot90(1, (1, 2)) - after[name]).abs() * same
        assert off.max() < 1e-3


def test_light_from_the_viewer_brightens_what_faces_the_viewer(toy, face):
    lamp = torch.zeros(1, 9, 3)
    lamp[:, 2] = 0.2
    maps = render_maps(toy, replace(face, illumination=lamp), CAMERA, ("shading", "normal", "mask"))
    inside = maps["mask"][0, ..., 0] > 0
    towards = maps["normal"][0, ..., 2][inside] * 2 - 1
    bright = maps["shading"][0, ..., 1][inside]
    order = towards.argsort()
    assert (bright[order].diff() >= -1e-6).all()
    assert bright.max() > 1.4 * bright.min()


def test_the_diffuse_map_is_albedo_times_light(toy, face):
    maps = render_maps(toy, face, CAMERA, ("albedo", "shading", "diffuse"))
    wanted = (maps["albedo"] * maps["shading"] * 2).clamp(0, 1)
    assert wanted.max() > 0.2
    torch.testing.assert_close(maps["diffuse"], wanted, atol=2e-6, rtol=0)


def test_the_diffuse_map_is_what_the_renderer_shades_pixel_by_pixel(toy, face):
    drawn = Renderer.of(toy, CAMERA, antialias=False)(
        posed(toy, face), colours=toy.albedo(face.reflectance)
    )
    wanted = shade_pixels(drawn.colour, drawn.normals, face.illumination).clamp(0, 1)
    got = render_maps(toy, face, CAMERA, ("diffuse",))["diffuse"]
    torch.testing.assert_close(got, wanted, atol=2e-6, rtol=0)


def test_compiled_and_plain_shading_agree(toy, face):
    scene = scene_of(toy, face, CAMERA, None, "auto")
    compiled, plain = light(scene, 0.25, diffuse=True, shading=True), _shaded(scene, 0.25)
    torch.testing.assert_close(compiled["diffuse"], plain["diffuse"].clamp(0, 1), atol=2e-6, rtol=0)
    torch.testing.assert_close(compiled["shading"] * 2, plain["shading"], atol=2e-6, rtol=0)


def test_a_visible_vertex_shows_its_code_within_a_pixels_step(toy):
    """Under any expression, pose, identity and light."""
    code = correspondence_code(toy)
    for seed in range(5):
        some = faces_of(toy, seed=seed)
        colour = render_maps(toy, some, CAMERA, ("correspondence",))["correspondence"][0]
        screen = CAMERA.project(posed(toy, some))
        depth = rasterize(screen, toy.faces, SIZE).depth[0]
        column, row = screen[0, :, :2].floor().long().unbind(-1)
        inside = ((column > 1) & (column < 94) & (row > 1) & (row < 94)).nonzero()[:, 0]
        column, row = column[inside], row[inside]
        around = torch.stack([colour[row + i, column + j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
        deep = torch.stack([depth[row + i, column + j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
        seen = (screen[0, inside, 2] <= depth[row, column] + 1) & deep.isfinite().all(0)
        step = (around.amax(0) - around.amin(0)).amax(-1)
        off = (colour[row, column] - code[inside]).abs().amax(-1)
        assert seen.sum() > 60
        assert (off[seen] <= step[seen]).all()


def test_the_code_is_that_of_the_mean_whoever_it_is(toy):
    code = correspondence_code(toy)
    assert torch.equal(code.amin(0), torch.zeros(3))
    assert torch.equal(code.amax(0), torch.ones(3))
    low, high = toy.identity.mean.amin(0), toy.identity.mean.amax(0)
    torch.testing.assert_close(code * (high - low) + low, toy.identity.mean)
    names = ("correspondence", "correspondence_flat", "face_index")
    for seed in (0, 1):
        some = faces_of(toy, seed=seed)
        maps = render_maps(toy, some, CAMERA, names)
        found = rasterize(CAMERA.project(posed(toy, some)), toy.faces, SIZE)
        corners = code[toy.faces[maps.faces().clamp(min=0)]]
        assert torch.equal(maps.faces(), found.face)
        wanted = (found.barycentric[..., None] * corners).sum(-2)
        torch.testing.assert_close(maps["correspondence"], wanted)
        flat = corners.mean(-2) * found.mask[..., None]
        torch.testing.assert_close(maps["correspondence_flat"], flat)


def test_empty_pixels_are_exactly_zero_or_minus_one(toy, face):
    for signed, empty in ((False, 0.0), (True, -1.0)):
        maps = render_maps(toy, face, CAMERA, SURFACE, signed=signed)
        outside = ~rasterize(CAMERA.project(posed(toy, face)), toy.faces, SIZE).mask
        for name in SURFACE:
            assert (maps[name][outside] == empty).all(), name


def test_signed_maps_are_the_same_on_another_scale(toy, face):
    plain = render_maps(toy, face, CAMERA, SURFACE, background=0.3)
    signed = render_maps(toy, face, CAMERA, SURFACE, background=0.3, signed=True)
    for name in SURFACE:
        torch.testing.assert_close(signed[name], plain[name] * 2 - 1)
        torch.testing.assert_close(signed.unit(name), plain[name])
    assert torch.equal(signed.faces(), plain.faces())


def test_the_background_is_the_one_asked_for_and_numbers_stay_zero(toy, face):
    maps = render_maps(toy, face, CAMERA, SURFACE, background=0.3)
    outside = ~(maps["mask"][..., 0] > 0)
    for name in SURFACE:
        wanted = 0.0 if name in ("mask", "face_index") else 0.3
        torch.testing.assert_close(
            maps[name][outside], torch.full_like(maps[name][outside], wanted), msg=name
        )


def test_a_face_index_of_24_bits_survives_a_picture_of_8():
    numbers = torch.tensor([-1, 0, 254, 255, 256, 33000, 65535, 65536, (1 << 24) - 2])
    drawn = encode_face_index(numbers)
    assert torch.equal(drawn[5] * 255, torch.tensor([0.0, 33001 // 256, 33001 % 256]))
    picture = (drawn * 255).round().to(torch.uint8)
    assert torch.equal(decode_face_index(picture.float() / 255), numbers)


def test_normals_of_a_ball_are_its_radii(toy):
    """The toy's template without its axes is a sphere; facets bend normals by a few degrees."""
    ball = replace(
        toy.identity,
        mean=torch.nn.functional.normalize(
            (toy.identity.mean - torch.tensor([0.0, -10, -80])) / torch.tensor([75.0, 105, 90]),
            dim=-1,
        )
        * 80,
        directions=toy.identity.directions * 0,
    )
    model = replace(toy, identity=ball)
    plain = FaceParameters.neutral(identity=6, expression=4, reflectance=3)
    maps = render_maps(model, plain, CAMERA, ("normal", "depth", "mask"))
    inside = maps["mask"][0, ..., 0] > 0
    depth = (0.5 - maps["depth"][0, ..., 0][inside]) * 500 + 600
    y, x = torch.meshgrid(torch.arange(96) + 0.5, torch.arange(96) + 0.5, indexing="ij")
    screen = torch.stack([x[inside], y[inside], depth], dim=-1)
    radius = CAMERA.unproject(screen) + torch.tensor([0.0, 0.0, 600.0])
    normals = maps["normal"][0][inside] * 2 - 1
    torch.testing.assert_close(normals.norm(dim=-1), torch.ones(len(normals)))
    assert ((normals * radius).sum(-1) / radius.norm(dim=-1)).min() > 0.99


def test_depth_counts_from_the_heads_origin_and_does_not_know_how_far_that_is(toy):
    weak = replace(CAMERA, weak_depth=torch.tensor(600.0))
    near = FaceParameters.neutral(identity=6, expression=4, reflectance=3)
    far = replace(near, translation=near.translation * 2)
    one, other = (render_maps(toy, some, weak, ("depth",))["depth"] for some in (near, far))
    torch.testing.assert_close(one, other)
    found = rasterize(weak.project(posed(toy, near)), toy.faces, SIZE, perspective=False)
    wanted = ((600 - found.depth) / 500 + 0.5).clamp(0, 1).where(found.mask, 0.0)
    torch.testing.assert_close(one[..., 0], wanted)


def test_texture_coordinates_lie_in_the_triangle_of_the_face_that_is_seen(head):
    maps = render_maps(head, faces_of(head), CAMERA, ("uv", "face_index"))
    seen = maps.faces()[0] >= 0
    corners = head.uv[head.uv_faces[maps.faces()[0][seen]]].double()
    edges = torch.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], dim=-1)
    at = maps["uv"][0][seen].double() - corners[:, 0]
    weights = torch.linalg.solve(edges, at[..., None])[..., 0]
    assert weights.min() > -0.02
    assert weights.sum(-1).max() < 1.02


def test_coordinates_over_several_tiles_are_scaled_to_one(toy, face):
    uv = (toy.identity.mean[:, :2] / 300 + 0.5) * torch.tensor([3.0, 1.0])
    got = render_maps(replace(toy, uv=uv), face, CAMERA, ("uv",))["uv"]
    single = replace(toy, uv=uv / torch.tensor([uv[:, 0].max().ceil(), 1.0]))
    torch.testing.assert_close(got, render_maps(single, face, CAMERA, ("uv",))["uv"])


def test_colours_that_are_given_replace_the_models(toy, face):
    given = torch.rand(toy.size, 3, generator=torch.Generator().manual_seed(2))
    shape = replace(toy, reflectance=None)
    bare = render_maps(shape, face, CAMERA, ("albedo", "diffuse"), albedo=given)
    drawn = Renderer.of(toy, CAMERA, antialias=False)(posed(toy, face), colours=given[None])
    torch.testing.assert_close(bare["albedo"], drawn.colour, atol=1e-6, rtol=0)
    own = render_maps(toy, face, CAMERA, ("diffuse",), albedo=given)
    assert torch.equal(bare["diffuse"], own["diffuse"])


def test_parsing_numbers_the_region_that_is_seen(toy, face):
    left = (toy.identity.mean[:, 0] > 0).float()
    lower = (toy.identity.mean[:, 1] < -40).float()
    model = replace(toy, regions={"lips": lower, "brows": left, "cheeks": torch.ones_like(left)})
    maps = render_maps(model, face, CAMERA, ("parsing", "face_index", "mask"))
    labels, faces = maps.labels()[0], maps.faces()[0]
    seen = faces >= 0
    assert (labels[~seen] == 0).all()
    whole = {"lips": lower, "brows": left * (1 - lower), "skin": (1 - left) * (1 - lower)}
    for name, mask in whole.items():
        sure = (mask[toy.faces] == 1).all(-1)[faces.clamp(min=0)] & seen
        assert sure.any()
        assert (labels[sure] == LABELS.index(name)).all()


def test_a_frame_has_the_same_bits_alone_and_in_any_batch(head):
    many = faces_of(head, frames=11)
    together = render_maps(head, many, CAMERA, PLAIN, signed=True)
    for frame in (0, 7, 8, 10):
        alone = render_maps(head, many[frame], CAMERA, PLAIN, signed=True)
        for name in PLAIN:
            assert torch.equal(alone[name], together[frame][name]), (frame, name)


def test_each_frame_may_have_its_own_camera(toy):
    many = faces_of(toy, frames=10)
    focal = torch.linspace(150, 250, 10)
    centre = torch.tensor([48.0, 48.0]) + torch.linspace(-3, 3, 10)[:, None]
    cameras = replace(CAMERA, focal=focal, principal=centre, weak_depth=torch.full((10,), 600.0))
    together = render_maps(toy, many, cameras, ("diffuse", "depth"))
    for frame in (0, 9):
        own = Camera(focal[frame], centre[frame], SIZE, torch.tensor(600.0))
        alone = render_maps(toy, many[frame], own, ("diffuse", "depth"))
        assert torch.equal(alone["diffuse"], together["diffuse"][frame : frame + 1])
        assert torch.equal(alone["depth"], together["depth"][frame : frame + 1])


def test_a_set_is_stacked_chosen_from_and_cut(toy):
    maps = render_maps(toy, faces_of(toy, frames=3), CAMERA, ("depth", "diffuse"))
    assert (maps.names, maps.frames, maps.size, maps.model) == (
        ("depth", "diffuse"),
        3,
        SIZE,
        "toy",
    )
    assert torch.equal(maps.stack(), torch.cat([maps["depth"], maps["diffuse"]], dim=-1))
    assert torch.equal(maps.stack(("diffuse",)), maps["diffuse"])
    assert torch.equal(maps[-1]["depth"], maps["depth"][2:])
    assert torch.equal(maps[1:]["depth"], maps["depth"][1:])


@pytest.mark.refusal
def test_unknown_repeated_or_no_names_are_refused(toy, face):
    with pytest.raises(ParameterError, match="names must be one or more of diffuse.*got 'pncc'"):
        render_maps(toy, face, CAMERA, ("diffuse", "pncc"))
    with pytest.raises(ParameterError, match="each once, got mask, mask"):
        render_maps(toy, face, CAMERA, ("mask", "mask"))
    with pytest.raises(ParameterError, match="each once, got none"):
        render_maps(toy, face, CAMERA, ())
    maps = render_maps(toy, face, CAMERA, "mask")
    with pytest.raises(ParameterError, match="there is no map 'diffuse'; there are mask"):
        maps["diffuse"]


@pytest.mark.refusal
def test_maps_that_the_model_has_nothing_for_are_refused(toy, face):
    bare = replace(toy, reflectance=None)
    with pytest.raises(ModelError, match="'diffuse' needs reflectance, and model 'toy' has none"):
        render_maps(bare, face, CAMERA, ("diffuse",))
    with pytest.raises(
        ModelError, match="'uv' needs texture coordinates, and model 'toy' has none"
    ):
        render_maps(toy, face, CAMERA, ("uv",))
    with pytest.raises(ModelError, match="'parsing' needs regions, and model 'toy' has none"):
        render_maps(toy, face, CAMERA, ("parsing",))


@pytest.mark.refusal
def test_another_models_parameters_cameras_colours_and_backgrounds_are_refused(toy, head, face):
    with pytest.raises(ParameterError, match="has 80 identity coefficients, but model 'toy' has 6"):
        render_maps(toy, faces_of(head), CAMERA, ("mask",))
    two = replace(CAMERA, focal=torch.ones(2), principal=torch.ones(2, 2))
    with pytest.raises(ShapeError, match="one for each of 1 frames"):
        render_maps(toy, face, two, ("mask",))
    with pytest.raises(ShapeError, match="albedo must have shape"):
        render_maps(toy, face, CAMERA, ("mask",), albedo=torch.ones(3, 3))
    with pytest.raises(ParameterError, match="background must be from 0 to 1, got -1"):
        render_maps(toy, face, CAMERA, ("mask",), background=-1.0)


@pytest.mark.refusal
def test_sets_of_unequal_maps_are_refused():
    with pytest.raises(ShapeError, match="maps must have the same T x H x W"):
        MapSet({"mask": torch.ones(1, 4, 4, 1), "depth": torch.ones(2, 4, 4, 1)})
    with pytest.raises(ShapeError, match="map 'depth' must have shape"):
        MapSet({"depth": torch.ones(1, 4, 4, 3)})


def test_torch_gets_its_threads_back_and_kernels_keep_theirs(toy, face):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with threads.kernels_alone():
            assert (torch.get_num_threads(), threads.split()) == (1, 3 * threads.TASKS)
            with threads.kernels_alone():
                assert threads.split() == 3 * threads.TASKS
        assert (torch.get_num_threads(), threads.split()) == (3, 3 * threads.TASKS)
        many = render_maps(toy, face, CAMERA, SURFACE)
    finally:
        torch.set_num_threads(before)
    torch.set_num_threads(1)
    one = render_maps(toy, face, CAMERA, SURFACE)
    torch.set_num_threads(before)
    assert all(torch.equal(one[name], many[name]) for name in SURFACE)
