from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.generate import Conr, config_of, load_generator, quickened, save_generator
from morphface.generate.networks.behind import background
from morphface.generate.networks.cinn import group_warped
from morphface.generate.networks.codes import CodeNetwork
from morphface.generate.networks.resnet import RESNET18, RESNET50, ResNet
from morphface.generate.networks.warp import warped
from tests.generate.people import SIDE, album_of, conv, newest, parameters, smooth, take_of

PUBLISHED = config_of("conr")
CONFIG = config_of("conr", resolution=SIDE, width=4)


def made_with(**options):
    torch.manual_seed(0)
    return Conr(CONFIG.replace(**options)).eval()


def test_encoders_have_the_published_sizes_and_a_convolution_for_pooling():
    with torch.device("meta"):
        deep, shallow = ResNet(4, 64, RESNET50, bottleneck=True), ResNet(4, 64, RESNET18)
        found = deep(torch.empty(1, 4, 256, 256)), shallow(torch.empty(1, 4, 256, 256))
    pool, alpha = 64 * 64 * 9, 64 * 49
    assert parameters(deep) == 23_508_032 + pool + alpha  # torchvision's without its classifier
    assert parameters(shallow) == 11_176_512 + pool + alpha
    assert [tuple(part.shape[1:3]) for part in found[0]] == [
        (64, 128),
        (256, 64),
        (512, 32),
        (1024, 16),
        (2048, 8),
    ]
    assert [part.shape[1] for part in found[1]] == [64, 64, 128, 256, 512]


def test_the_published_networks_have_the_published_layers():
    with torch.device("meta"):
        made = Conr(PUBLISHED)
        code = CodeNetwork(64, 5).code(made.read.features(torch.empty(1, 4, 256, 256)))
    assert code.shape == (1, 4, 256, 256)
    own, pose = (64, 64, 256, 512, 1024, 2048), (64, 64, 64, 128, 256, 512)
    assert made.sizes == len(made.draw.blocks) == 6
    for k, block in enumerate(made.draw.blocks):
        heard = own[k + 1] * 2 if k < 5 else 0
        inputs = 2 + pose[k] + 4 + own[k] + 2 + 4 + heard
        local = own[k] + 2 if k else 0
        outputs = 2 + (2 if k else 1) + own[k] + 32 + local
        slopes = 224 * (2 + 6 * (1 if k else 2))
        deep = (1 if k else 2) * 6 * conv(224, 224, 3)
        ends = conv(inputs, 224, 3) + conv(224, 224, 3) + conv(224, 224, 4) + conv(224, outputs, 4)
        assert parameters(block) == ends + deep + slopes


@pytest.mark.parametrize("blend", [False, True])
def test_every_parameter_learns(blend):
    made = made_with(blend=blend).train()
    take = newest(album_of(1, 2))
    out = made(take.window, take.references, details=True)
    pictures = (out.frame, *out.photos, out.alpha)
    loss = sum((part - take.frame).abs().mean() for part in pictures)
    (loss + sum((code - 0.3).square().mean() for code in out.codes)).backward()
    dead = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert dead == []


@pytest.mark.parametrize("blend", [False, True])
def test_the_order_of_photos_does_not_matter(blend):
    made, take = made_with(blend=blend), newest(album_of(2, 3, 2))
    one, two, three = take.references
    with torch.no_grad():
        here = made(take.window, (one, two, three))
        for order in ((three, one, two), (two, one, three)):
            torch.testing.assert_close(made(take.window, order), here, rtol=0, atol=1e-5)
        assert float((made(take.window, (one, two)) - here).abs().max()) > 1e-3


def test_a_frame_begins_as_the_photos_that_show_it():
    made, take = made_with(blend=True), newest(album_of(3, 2))
    torch.nn.init.zeros_(made.last.weight), torch.nn.init.zeros_(made.last.bias)
    first, second = take.references
    sure = [replace(r, valid=torch.full_like(r.valid, v)) for r, v in ((first, 1.0), (second, 0.0))]
    with torch.no_grad():
        made_frame = made(take.window, sure)
    inside = warped(first.matte, first.flow) > 0.99
    wanted = warped(first.photo, first.flow)
    far = ((made_frame - wanted).abs() * inside).sum() / inside.sum() / 3
    other = ((warped(second.photo, second.flow) - wanted).abs() * inside).sum() / inside.sum() / 3
    assert float(far) < 0.1 * float(other)


def test_features_of_photos_serve_all_frames():
    made, take = made_with(), newest(album_of(4, 2, 3))
    with torch.no_grad():
        known = [made.encode(photo) for photo in take.references]
        once = made(take.window, take.references, features=known)
        assert torch.equal(once, made(take.window, take.references))


def test_codes_are_read_off_photos_whatever_the_fit_says():
    made, take = made_with(), newest(take_of(7))
    photo = take.references[0]
    with torch.no_grad():
        read = made(take.window, (photo,), details=True).codes[0]
        other = replace(photo, maps=photo.maps * 0, flow=photo.flow * 0)
        assert torch.equal(made.code_of(other), read)
    assert read.shape == (1, 4, SIDE, SIDE)


def test_without_the_flow_of_the_mesh_it_has_no_say():
    made, take = made_with(flow_prior=False), newest(take_of(5))
    photo = take.references[0]
    still = replace(photo, flow=photo.flow * 0, valid=photo.valid * 0)
    with torch.no_grad():
        assert torch.equal(made(take.window, (photo,)), made(take.window, (still,)))


def test_a_checkpoint_comes_back_exactly_and_quick(tmp_path):
    made, take = made_with(), newest(album_of(6, 2))
    save_generator(tmp_path / "generator.safetensors", made)
    again = load_generator(tmp_path / "generator.safetensors")
    with torch.no_grad():
        wanted = made(take.window, take.references)
        assert torch.equal(again(take.window, take.references), wanted)
        half = quickened(made, bfloat16=True)(take.window.bfloat16(), take.references)
    assert float((half - wanted).abs().mean()) < 0.02


def test_groups_of_channels_move_each_on_its_own():
    rng = torch.Generator().manual_seed(0)
    features, flows = smooth(rng, 2, 6), 5 * smooth(rng, 2, 4)
    found = group_warped(features, flows, 2)
    torch.testing.assert_close(found[:, :3], warped(features[:, :3], flows[:, :2]))
    torch.testing.assert_close(found[:, 3:], warped(features[:, 3:], flows[:, 2:]))


def test_the_background_is_kept_where_it_is_seen_and_plain_ones_everywhere():
    rng = torch.Generator().manual_seed(1)
    photos, matte = [smooth(rng, 1, 3) for _ in range(2)], torch.zeros(2, 1, 1, 32, 32)
    matte[0, ..., 8:20, 8:20] = 1
    matte[1, ..., 14:28, 14:28] = 1
    found = background(photos, list(matte))
    torch.testing.assert_close(found[..., 9:13, 9:13], photos[1][..., 9:13, 9:13])
    torch.testing.assert_close(found[..., :7, :7], (photos[0] + photos[1])[..., :7, :7] / 2)
    plain = [torch.full((1, 3, 32, 32), 0.25)] * 2
    torch.testing.assert_close(background(plain, list(matte)), plain[0])


@pytest.mark.refusal
def test_what_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="references must be one or more photos"):
        made_with()(newest(take_of(1)).window)
    with pytest.raises(ParameterError, match="width must be a multiple of 4 for conr, got 6"):
        Conr(CONFIG.replace(width=6))
