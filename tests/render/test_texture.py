import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.render import interpolate, rasterize
from morphface.render import texture as module
from morphface.render.derivatives import screen_derivatives
from morphface.render.texture import Texture, sample_texture

INF = torch.inf


@pytest.fixture(params=["compiled", "torch"])
def lookup(request, monkeypatch):
    """`sample_texture` by each of its two implementations."""
    if request.param == "torch":
        monkeypatch.setattr(module, "_compiles", lambda uv: False)
    return sample_texture


def centres(height, width):
    """Texture coordinates of all texel centres, in the order of a picture."""
    v, u = torch.meshgrid(
        1 - (torch.arange(height) + 0.5) / height,
        (torch.arange(width) + 0.5) / width,
        indexing="ij",
    )
    return torch.stack([u, v], dim=-1)[None]


def spread(step, size=(6, 7)):
    """The same derivatives everywhere: a pixel is `step` of the texture wide."""
    return (torch.eye(2) * step).expand(1, *size, 2, 2)


def test_texel_centres_give_back_the_picture(lookup, rng):
    image = torch.rand(1, 5, 7, 3, generator=rng)
    torch.testing.assert_close(lookup(image, centres(5, 7)), image)


def test_the_origin_is_the_lower_left_corner(lookup):
    image = torch.tensor([[[[1.0], [2]], [[3], [4]]]])
    corners = torch.tensor([[[[0.0, 1], [1, 1]], [[0, 0], [1, 0]]]])
    torch.testing.assert_close(lookup(image, corners), image)


def test_a_linear_ramp_is_reproduced_between_texel_centres(lookup, rng):
    slopes = torch.tensor([[3.0, -1], [0.5, 2]])
    image = centres(9, 6) @ slopes
    uv = torch.rand(1, 40, 30, 2, generator=rng) * 0.8 + 0.1
    torch.testing.assert_close(lookup(image, uv), uv @ slopes)


@pytest.mark.parametrize("shared", [True, False])
def test_bilinear_lookup_is_that_of_torch(lookup, rng, shared):
    image = torch.rand(1 if shared else 3, 8, 5, 4, generator=rng)
    uv = torch.rand(3, 20, 10, 2, generator=rng) * 1.6 - 0.3
    grid = uv * torch.tensor([2.0, -2]) + torch.tensor([-1.0, 1])
    want = torch.nn.functional.grid_sample(
        image.permute(0, 3, 1, 2).expand(3, -1, -1, -1),
        grid,
        padding_mode="border",
        align_corners=False,
    )
    torch.testing.assert_close(lookup(image, uv), want.permute(0, 2, 3, 1))


def test_beyond_the_border_a_texture_is_continued_or_repeated(lookup, rng):
    image = torch.rand(1, 4, 6, 2, generator=rng)
    uv = torch.rand(1, 9, 9, 2, generator=rng)
    inside = lookup(image, uv, border="wrap")
    for shift in ([1.0, 0], [0, -1], [-3, 5]):
        torch.testing.assert_close(
            lookup(image, uv + torch.tensor(shift), border="wrap"), inside, atol=1e-5, rtol=0
        )
    far = torch.tensor([[[[-7.0, 0.5], [0.5, 9]]]])
    edges = torch.stack([image[0, 1:3, 0].mean(0), image[0, 0, 2:4].mean(0)])
    torch.testing.assert_close(lookup(image, far)[0, 0], edges)


def test_a_seam_blends_the_two_sides_that_meet_there(lookup):
    image = torch.tensor([0.0, 1, 2, 6]).reshape(1, 1, 4, 1)
    uv = torch.tensor([[[[0.0, 0.5], [1, 0.5], [-1e-9, 0.5]]]])
    assert lookup(image, uv, border="wrap").flatten().tolist() == [3, 3, 3]
    assert lookup(image, uv).flatten().tolist() == [0, 6, 0]


@pytest.mark.parametrize("size", [(8, 8), (7, 5), (1, 6), (9, 2), (1, 1)])
def test_every_level_has_the_mean_of_the_picture(rng, size):
    image = torch.rand(2, *size, 3, generator=rng)
    texture = Texture.of(image)
    levels = [texture.level(k) for k in range(max(size).bit_length())]
    assert levels[-1].shape[1:3] == (1, 1)
    torch.testing.assert_close(levels[0], image)
    for level in levels:
        torch.testing.assert_close(level.mean((1, 2)), image.mean((1, 2)))


def test_a_level_holds_the_means_of_blocks(rng):
    image = torch.rand(1, 8, 12, 3, generator=rng)
    want = torch.nn.functional.avg_pool2d(image.permute(0, 3, 1, 2), 4).permute(0, 2, 3, 1)
    torch.testing.assert_close(Texture.of(image).level(2), want)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_pixels_as_large_as_the_texels_of_a_level_see_that_level(lookup, rng, level):
    texture = Texture.of(torch.rand(1, 16, 16, 3, generator=rng))
    uv = torch.rand(1, 6, 7, 2, generator=rng)
    got = lookup(texture, uv, derivatives=spread(2**level / 16))
    torch.testing.assert_close(got, lookup(texture.level(level), uv))


def test_between_two_levels_both_are_blended_and_the_coarsest_is_the_last(lookup, rng):
    texture = Texture.of(torch.rand(1, 16, 16, 3, generator=rng), levels=3)
    uv = torch.rand(1, 6, 7, 2, generator=rng)
    finer, coarser = (lookup(texture.level(k), uv) for k in (1, 2))
    got = lookup(texture, uv, derivatives=spread(2**1.25 / 16))
    torch.testing.assert_close(got, torch.lerp(finer, coarser, 0.25))
    torch.testing.assert_close(lookup(texture, uv, derivatives=spread(50.0)), coarser)
    torch.testing.assert_close(lookup(texture, uv, derivatives=spread(0.0)), lookup(texture, uv))


def test_the_longer_side_of_a_pixel_chooses_the_level(lookup, rng):
    image = torch.rand(1, 8, 32, 3, generator=rng)
    uv = torch.rand(1, 6, 7, 2, generator=rng)
    slanted = torch.tensor([[3 / 32, 0.0], [4 / 8, 0.1 / 8]]).expand(1, 6, 7, 2, 2)  # 5 texels
    even = spread(5 / 8) * torch.tensor([[8 / 32], [1.0]])
    torch.testing.assert_close(
        lookup(image, uv, derivatives=slanted), lookup(image, uv, derivatives=even)
    )


def test_a_checkerboard_from_afar_is_grey_with_levels_and_a_false_pattern_without(lookup):
    squares = torch.arange(64) // 2
    board = ((squares[:, None] + squares) % 2).float()[None, ..., None]
    uv = centres(9, 9) * 0.97
    smooth = lookup(board, uv, derivatives=spread(0.97 / 9, (9, 9)))
    torch.testing.assert_close(smooth, torch.full_like(smooth, 0.5))
    assert lookup(board, uv).std() > 0.2


@pytest.mark.parametrize("border", ["clamp", "wrap"])
@pytest.mark.parametrize("levels", [1, 3])
def test_gradients_are_those_of_central_differences(lookup, rng, border, levels):
    options = {"generator": rng, "dtype": torch.float64}
    image = torch.rand(2, 7, 6, 2, **options, requires_grad=True)
    uv = (torch.rand(2, 3, 4, 2, **options) * 1.5 - 0.25).requires_grad_()
    derivatives = torch.rand(2, 3, 4, 2, 2, **options) * 0.5 if levels > 1 else None
    mask = torch.rand(2, 3, 4, generator=rng) > 0.2

    def colours(image, uv):
        texture = Texture.of(image, levels)
        return lookup(texture, uv, derivatives=derivatives, mask=mask, border=border)

    assert torch.autograd.gradcheck(colours, (image, uv))


@pytest.mark.parametrize("threads", [1, 3])
def test_gradients_of_many_pixels_add_up_whatever_the_threads(rng, threads):
    image = torch.zeros(1, 8, 8, 1, requires_grad=True)
    uv = torch.rand(2, 30, 30, 2, generator=rng)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        sample_texture(image, uv, derivatives=torch.rand(2, 30, 30, 2, 2)).sum().backward()
    finally:
        torch.set_num_threads(before)
    assert image.grad.sum().item() == pytest.approx(2 * 30 * 30, rel=1e-4)
    assert (image.grad > 0).all()


def test_pixels_outside_the_mask_are_zero_and_have_no_gradient(lookup):
    image = torch.ones(1, 4, 4, 1, requires_grad=True)
    mask = torch.zeros(1, 2, 3, dtype=torch.bool)
    mask[0, 1, 2] = True
    out = lookup(image, torch.full((1, 2, 3, 2), 0.4), mask=mask)
    out.sum().backward()
    assert torch.equal(out[..., 0] > 0, mask)
    assert image.grad.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("border", ["clamp", "wrap"])
def test_coordinates_that_are_no_numbers_give_none_and_crash_nothing(lookup, border):
    uv = torch.tensor([[[[torch.nan, 0.5], [INF, 0.5], [0.5, -INF], [0.5, 0.5], [1e30, -1e30]]]])
    image = torch.ones(1, 3, 3, 1)
    lost = torch.tensor([[[[torch.nan, 0.0], [0.0, INF]]]]).expand(1, 1, 5, 2, 2)
    for derivatives in (None, lost):
        out = lookup(image, uv, derivatives=derivatives, border=border).flatten()
        assert out[3] == 1
        assert out[4] == 1
        assert out[:3].isnan().all()


def test_both_implementations_agree_on_large_textures(monkeypatch, rng):
    image = torch.rand(2, 33, 70, 3, generator=rng)
    uv = torch.rand(2, 50, 40, 2, generator=rng) * 3 - 1
    derivatives = torch.randn(2, 50, 40, 2, 2, generator=rng) * 0.1
    for border in module.BORDERS:
        options = {"derivatives": derivatives, "border": border}
        compiled = sample_texture(image, uv, **options)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_compiles", lambda uv: False)
            torch.testing.assert_close(sample_texture(image, uv, **options), compiled)


@pytest.mark.parametrize("perspective", [True, False])
def test_screen_derivatives_are_the_differences_between_points_of_a_face(perspective):
    camera = Camera.facing((40, 50))
    corners = torch.tensor([[-90.0, -80, -300], [100, -60, -500], [10, 90, -400]]).double()
    screen = camera.project(corners)[None].double()
    faces, uv = torch.tensor([[0, 1, 2]]), torch.rand(1, 4, 2).double()
    uv_faces = torch.tensor([[3, 0, 1]])
    step, spots = 1e-4, []
    for shift in ([0.0, 0, 0], [step, 0, 0], [0, step, 0]):
        moved = screen - torch.tensor(shift)  # moving the picture left is moving the pixel right
        found = rasterize(moved, faces, (40, 50), perspective=perspective, backend="reference")
        spots.append((found.mask, interpolate(uv, uv_faces, found)))
    found = rasterize(screen, faces, (40, 50), perspective=perspective, backend="reference")
    got = screen_derivatives(uv, uv_faces, screen, faces, found, perspective=perspective)
    both = spots[0][0] & spots[1][0] & spots[2][0]
    want = torch.stack([(spots[k][1] - spots[0][1]) / step for k in (1, 2)], dim=-1)
    assert both.sum() > 100
    torch.testing.assert_close(got[both], want[both], atol=2e-4, rtol=1e-3)
    assert (got[~found.mask] == 0).all()


def test_screen_derivatives_of_a_face_on_the_screen_are_its_scale():
    screen = torch.tensor([[[0.0, 0, 10], [20, 0, 10], [0, 10, 10], [20, 10, 10]]])
    faces = torch.tensor([[0, 1, 2], [3, 2, 1]])
    uv = torch.tensor([[[0.0, 1], [1, 1], [0, 0], [1, 0]]])
    found = rasterize(screen, faces, (10, 20))
    got = screen_derivatives(uv, faces, screen, faces, found)
    want = torch.tensor([[1 / 20, 0], [0, -1 / 10]]).expand_as(got)
    torch.testing.assert_close(got, want)


@pytest.mark.refusal
def test_what_does_not_fit_is_named():
    image, uv = torch.zeros(1, 4, 4, 3), torch.zeros(2, 5, 5, 2)
    with pytest.raises(ParameterError, match=r"border must be one of .* got 'mirror'"):
        sample_texture(image, uv, border="mirror")
    with pytest.raises(ShapeError, match="texture must have a batch of 1 or 2 like uv, got 3"):
        sample_texture(image.expand(3, 4, 4, 3), uv)
    with pytest.raises(ShapeError, match=r"uv must have shape \(..., any, any, any, 2\)"):
        sample_texture(image, uv[..., :1])
    with pytest.raises(ShapeError, match=r"derivatives must have shape \(..., 2, 5, 5, 2, 2\)"):
        sample_texture(image, uv, derivatives=torch.zeros(2, 5, 5, 2))
    with pytest.raises(ShapeError, match=r"mask must have shape \(..., 2, 5, 5\)"):
        sample_texture(image, uv, mask=torch.ones(5, 5, dtype=torch.bool))


@pytest.mark.refusal
def test_textures_without_texels_or_levels_are_refused():
    with pytest.raises(ShapeError, match=r"4 axes, none empty, got \(4, 4, 3\)"):
        Texture.of(torch.zeros(4, 4, 3))
    with pytest.raises(ShapeError, match=r"4 axes, none empty, got \(1, 0, 4, 3\)"):
        Texture.of(torch.zeros(1, 0, 4, 3))
    with pytest.raises(ParameterError, match="levels must be at least 1, got 0"):
        Texture.of(torch.zeros(1, 4, 4, 3), levels=0)
