import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError, ParameterError, ShapeError
from morphface.evaluate import LPIPS_KINDS, Lpips
from morphface.generate.networks.backbones import Backbone
from tests.generate.small_backbones import narrow_vgg, random_weights


@pytest.fixture(scope="module")
def lpips():
    torch.manual_seed(0)
    backbone = Backbone("alexnet")
    return Lpips(backbone, [torch.rand(width) for width in backbone.widths])


@pytest.fixture
def pair(rng):
    return torch.rand(2, 2, 40, 64, 3, generator=rng).unbind(0)


def test_equal_pictures_have_no_distance_and_order_does_not_matter(lpips, pair):
    assert lpips(pair[0], pair[0]).tolist() == [0, 0]
    torch.testing.assert_close(lpips(*pair), lpips(*reversed(pair)))
    assert float(lpips(*pair).min()) > 0


def test_each_frame_counts_alone(lpips, pair):
    one, other = pair
    apart = torch.cat([lpips(one[k : k + 1], other[k : k + 1]) for k in (0, 1)])
    torch.testing.assert_close(lpips(one, other), apart)


def test_it_is_equation_1_pixel_by_pixel(lpips, pair):
    one, other = (some[:1] for some in pair)
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    features = [
        lpips.backbone((((2 * some - 1) - shift) / scale).permute(0, 3, 1, 2))
        for some in (one, other)
    ]
    total = 0.0
    for layer, (a, b) in enumerate(zip(*features, strict=True)):
        _, _, height, width = a.shape
        weights = lpips.get_buffer(f"channels_{layer}").double()
        for y in range(height):
            for x in range(width):
                u, v = (some[0, :, y, x].double() for some in (a, b))
                apart = u / (u.norm() + 1e-10) - v / (v.norm() + 1e-10)
                total += float(weights @ apart.square()) / (height * width)
    assert float(lpips(one, other)) == pytest.approx(total, rel=1e-4)


def test_weights_are_read_from_files(tmp_path, monkeypatch, pair):
    narrow_vgg(monkeypatch, "vgg16")
    held = random_weights(tmp_path / "vgg.pth", "vgg16")
    channels = {f"lin{k}.model.1.weight": torch.rand(1, 4, 1, 1) for k in range(5)}
    torch.save(channels, tmp_path / "channels.pth")
    read = Lpips.load("vgg16", backbone=tmp_path / "vgg.pth", channels=tmp_path / "channels.pth")
    made = Backbone("vgg16")
    made.load_state_dict(held)
    torch.testing.assert_close(
        read(*pair), Lpips(made, [v.flatten() for v in channels.values()])(*pair)
    )
    assert "vgg16" in read.measure.convention


@pytest.mark.refusal
def test_missing_weights_are_told_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    torch.save({"lin9": torch.zeros(1)}, tmp_path / "channels.pth")
    monkeypatch.setattr("morphface.generate.networks.weight_files.find_spec", lambda _: None)
    with pytest.raises(
        MissingFileError, match="7be5be79.pth and lpips-alex.pth .*python.*; and run: pip install"
    ):
        Lpips.load()
    with pytest.raises(MissingFileError, match="alexnet-owt-7be5be79.pth are not on this machine"):
        Lpips.load(channels=tmp_path / "channels.pth")
    random_weights(tmp_path / "alex.pth", "alexnet")
    with pytest.raises(ModelError, match="holds no weights of LPIPS"):
        Lpips.load(backbone=tmp_path / "alex.pth", channels=tmp_path / "channels.pth")


@pytest.mark.refusal
def test_what_is_no_distance_is_refused():
    backbone = Backbone("alexnet")
    with pytest.raises(ModelError, match=r"channels must be \(64, 192, 384, 256, 256\)"):
        Lpips(backbone, [torch.ones(3)])
    with pytest.raises(ModelError, match="must not be negative"):
        Lpips(backbone, [-torch.ones(width) for width in backbone.widths])
    with pytest.raises(ParameterError, match=f"must be one of {', '.join(LPIPS_KINDS)}"):
        Lpips.load("squeezenet")


@pytest.mark.refusal
def test_pictures_must_be_alike_and_large_enough(lpips):
    with pytest.raises(ShapeError, match="reference must have shape"):
        lpips(torch.zeros(1, 40, 40, 3), torch.zeros(1, 40, 41, 3))
    with pytest.raises(ParameterError, match="at least 32 x 32 pixels"):
        lpips(*[torch.zeros(1, 40, 30, 3)] * 2)
