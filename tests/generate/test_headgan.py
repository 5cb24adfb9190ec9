import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate import HeadGan, HeadJudges, config_of, make_generator, quickened
from morphface.generate.checkpoint import load_generator, save_generator
from morphface.generate.networks.flow import hints_of
from morphface.generate.networks.fusion import LEAST, fused, shares
from morphface.generate.networks.judges import mouths
from tests.generate.people import CONFIG, SIDE, album_of, conv, parameters, smooth, take_of

PUBLISHED = config_of("headgan", flow_prior=False, style=("sound",), style_sizes=(300,))


def encoder(inputs, w=32):
    widths = (w, 4 * w, 16 * w)
    layers = conv(inputs, w, 7) + conv(w, 4 * w, 3) + conv(4 * w, 16 * w, 3)
    return layers + 2 * sum(widths)  # instance norms with scale and shift


def spade_block(channels, condition):
    spade = conv(condition, 256, 3) + 2 * conv(256, channels, 3)
    return 2 * (spade + conv(channels, channels, 3))


def style_block(channels, style=300):
    return 2 * (style * 2 * channels + 2 * channels + conv(channels, channels, 3))


def judge(inputs):
    widths = (inputs, 64, 128, 256, 512, 512, 1)
    return 2 * sum(conv(a, b, 4) for a, b in zip(widths[:-1], widths[1:], strict=True))


def test_the_published_networks_have_the_published_layers():
    with torch.device("meta"):
        made, judges = HeadGan(PUBLISHED), HeadJudges(PUBLISHED)
    flow = encoder(6) + 3 * spade_block(512, 9) + spade_block(128, 9) + conv(32, 3, 7)
    assert parameters(made.move) == flow
    paint = encoder(9) + sum(spade_block(c, c) + style_block(c) for c in (512, 128, 32))
    assert parameters(made.paint) == paint + spade_block(32, 3) + conv(32, 3, 7)
    assert parameters(judges.whole) == judge(6)
    assert parameters(judges.mouth) == judge(303)


def test_the_published_features_have_the_published_sizes():
    with torch.device("meta"):
        made = HeadGan(PUBLISHED)
        found = made.move.encoder(torch.empty(1, 6, 256, 256))
    assert [tuple(part.shape[1:]) for part in found] == [
        (32, 256, 256),
        (128, 128, 128),
        (512, 64, 64),
    ]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"blend": True},
        {"flow_prior": False},
        {"style": ("sound", "gaze"), "style_sizes": (5, 2)},
        {"maps": ("correspondence", "gaze"), "channels": (3, 3)},
    ],
)
def test_every_parameter_learns(options):
    config = CONFIG.replace(**options)
    torch.manual_seed(0)
    made, take = HeadGan(config), take_of(1, 2, style=config.style_dim)
    extra = sum(config.channels) // 3
    window = take.window.repeat(1, extra, 1, 1)
    reference = take.references[0]
    reference = type(reference)(
        reference.photo, reference.maps.repeat(1, extra, 1, 1), *list(vars(reference).values())[2:]
    )
    style = take.style if config.style_dim else None
    out = made(window, (reference,), style, details=True)
    loss = sum((part - take.frame).abs().mean() for part in (out.frame, out.photos[0]))
    (loss + out.masks[0].mean()).backward()
    dead = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert dead == []


def test_with_the_prior_the_moved_photo_is_the_warped_one_from_the_start():
    torch.manual_seed(0)
    take = take_of(3)
    whole = take.references[0].map(lambda v: torch.ones_like(v) if v.shape[1] == 1 else v)
    out = HeadGan(CONFIG)(take.window, (whole,), details=True)
    blind = HeadGan(CONFIG.replace(flow_prior=False))(take.window, (whole,), details=True)
    far = [(one.photos[0] - take.frame).abs().mean() for one in (out, blind)]
    assert far[0] < far[1] / 4


def test_a_frame_begins_as_the_moved_photo_where_paint_is_added_to_it():
    torch.manual_seed(0)
    take = take_of(3)
    out = HeadGan(CONFIG.replace(blend=True))(take.window, take.references, details=True)
    assert 0 < (out.frame - out.photos[0]).abs().mean() < 0.05


def test_what_was_left_behind_is_where_the_person_was_and_is_not():
    take = take_of(4)
    reference = take.references[0]
    shift = torch.zeros_like(reference.flow)
    shift[:, 0] = -6  # what is seen there lies to the left in the photo: it moved to the right
    valid, moved, left = hints_of(
        type(reference)(*list(vars(reference).values())[:3], shift, reference.valid)
    )[0]
    matte = reference.matte[0, 0]
    torch.testing.assert_close(moved[:, 6:], matte[:, :-6])
    assert torch.equal(valid, reference.valid[0, 0])
    assert torch.equal(left > 0.5, (matte > 0.5) & (moved <= 0.5))


def test_equal_photos_count_as_one():
    torch.manual_seed(0)
    made, one, two = HeadGan(CONFIG).eval(), take_of(5), take_of(5, references=2)
    with torch.no_grad():
        torch.testing.assert_close(
            made(two.window, two.references), made(one.window, one.references)
        )


def test_the_order_of_photos_does_not_matter():
    torch.manual_seed(0)
    made, take = HeadGan(CONFIG).eval(), take_of(6)
    photos = [take.references[0], take_of(7).references[0]]
    with torch.no_grad():
        here, there = made(take.window, photos), made(take.window, photos[::-1])
    torch.testing.assert_close(here, there)


def test_trust_is_learnt_with_several_photos_and_changes_nothing_for_one():
    torch.manual_seed(0)
    fusing, take = HeadGan(CONFIG.replace(fusion=True)).eval(), album_of(12, 2)
    plain = HeadGan(CONFIG).eval()
    weights = fusing.state_dict()
    plain.load_state_dict({k: v for k, v in weights.items() if not k.startswith("move.trust")})
    first = take.references[:1]
    with torch.no_grad():
        assert torch.equal(fusing(take.window, first), plain(take.window, first))
    out = fusing(take.window, take.references, details=True)
    (out.frame - take.frame).abs().mean().backward()
    assert all(p.grad.abs().max() > 0 for p in fusing.move.trust.parameters())
    with torch.no_grad():
        fusing.move.trust.bias += 3.0  # the same for all photos
        torch.testing.assert_close(fusing(take.window, take.references), out.frame.detach())


def test_shares_follow_what_is_valid_and_trusted():
    rng = torch.Generator().manual_seed(0)
    trust, valid = (
        torch.randn(3, 2, 1, 8, 8, generator=rng),
        torch.rand(3, 2, 1, 8, 8, generator=rng),
    )
    share = shares(list(trust), list(valid))
    weight = trust.exp() * (valid + LEAST)
    torch.testing.assert_close(share, weight / weight.sum(0))
    parts = torch.randn(3, 2, 5, 8, 8, generator=rng)
    torch.testing.assert_close(fused(list(parts), share), (parts * share).sum(0))
    assert torch.equal(fused(list(parts[:1]), shares(list(trust[:1]), list(valid[:1]))), parts[0])


def test_features_of_a_photo_serve_all_frames():
    torch.manual_seed(0)
    made, take = HeadGan(CONFIG).eval(), take_of(8, 3)
    with torch.no_grad():
        known = [made.encode(photo) for photo in take.references]
        once = made(take.window, take.references, features=known)
        torch.testing.assert_close(once, made(take.window, take.references))


def test_a_checkpoint_comes_back_exactly(tmp_path):
    made, take = make_generator("headgan", resolution=SIDE, width=4, blend=True), take_of(9)
    made(take.window, take.references)  # so that spectral norms are not at rest
    save_generator(tmp_path / "generator.safetensors", made.eval())
    again = load_generator(tmp_path / "generator.safetensors")
    assert again.config == made.config
    with torch.no_grad():
        assert torch.equal(again(take.window, take.references), made(take.window, take.references))


def test_quick_ones_make_the_same_frames():
    torch.manual_seed(0)
    made, take = HeadGan(CONFIG.replace(blend=True)).eval(), take_of(10)
    with torch.no_grad():
        slow = made(take.window, take.references)
        quick = quickened(made, bfloat16=False)
        torch.testing.assert_close(quick(take.window, take.references), slow, rtol=0, atol=1e-4)
        half = quickened(made, bfloat16=True)
        assert half.move.flow.weight.dtype == torch.float32
        near = half(take.window.bfloat16(), take.references)
    assert float((near - slow).abs().mean()) < 0.01


def test_mouths_are_cut_about_their_middle_and_within_the_frame():
    frame = smooth(torch.Generator().manual_seed(0), 3, 3)
    middle = torch.tensor([[16.0, 20.0], [0.0, 31.0], [31.0, 0.0]])
    found = mouths(frame, middle)
    assert torch.equal(found[0], frame[0, :, 16:24, 12:20])
    assert torch.equal(found[1], frame[1, :, 24:, :8])
    assert torch.equal(found[2], frame[2, :, :8, 24:])


@pytest.mark.refusal
def test_what_does_not_fit_is_refused():
    take, made = take_of(1), HeadGan(CONFIG)
    with pytest.raises(ParameterError, match="references must be one or more photos"):
        made(take.window)
    with pytest.raises(ShapeError, match="window must have shape"):
        made(take.window[:, :6], take.references)
    heard = HeadGan(CONFIG.replace(style=("sound",), style_sizes=(3,)))
    with pytest.raises(ParameterError, match="style must be given, 3 numbers for sound"):
        heard(take.window, take.references)
    with pytest.raises(ShapeError, match="style must have shape"):
        heard(take.window, take.references, torch.zeros(1, 2))
