"""The adapters: what they convert, what they refuse, and which one "auto" takes."""

import sys
from importlib.util import find_spec

import pytest
import torch

from morphface.core.errors import BackendError
from morphface.render import backends, rasterize
from morphface.render.backends import cpu, nvdiffrast, pytorch3d, reference
from morphface.render.backends.packed import locate
from tests.render import standins
from tests.render.contract import DEVICES, HALVES, HOMES, KINDS, ONE, SQUARE, soup

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
ADAPTERS = {"pytorch3d": pytorch3d, "nvdiffrast": nvdiffrast}
NO_GPU = "no CUDA device here: the real nvdiffrast is not tested, a stand-in is"
NO_PYTORCH3D = "PyTorch3D is not installed: the real one is not tested, a stand-in is"


def forget():
    for adapter in ADAPTERS.values():
        adapter._library.cache_clear()


@pytest.fixture
def stand_in(monkeypatch):
    for name, module in standins.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    forget()
    yield
    forget()


@pytest.fixture(params=["pytorch3d", "nvdiffrast", "real pytorch3d", "real nvdiffrast"])
def adapter(request):
    """An adapter and the device of its tensors; both libraries, and a stand-in for each."""
    name = request.param.removeprefix("real ")
    if name == request.param:
        request.getfixturevalue("stand_in")
        return ADAPTERS[name], CPU
    if name == "nvdiffrast":
        if not torch.cuda.is_available():
            pytest.skip(NO_GPU)
        pytest.importorskip("nvdiffrast.torch")
        return nvdiffrast, CUDA
    if find_spec("pytorch3d") is None:
        pytest.skip(NO_PYTORCH3D)
    return pytorch3d, CPU


@pytest.fixture
def agree(adapter):
    """Asserts that the adapter finds what `reference` finds, but for `flips` at edges."""
    module, device = adapter

    def check(screen, faces, size, *, flips=1e-3, perspective=True, cull=False):
        options = {"perspective": perspective, "cull": cull}
        found = module.nearest(screen.to(device), faces.to(device), size, **options)
        got = [part.cpu() for part in found]
        want = reference.nearest(screen, faces, size, **options)
        same = got[0] == want[0]
        if device.type == "cuda":
            flips = max(flips, 0.05)  # corners are rounded to a sixteenth of a pixel
        assert (~same).sum() <= flips * same.numel()
        torch.testing.assert_close(got[1][same], want[1][same], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(got[2][same], want[2][same])
        assert [part.dtype for part in got] == [part.dtype for part in want]
        return got

    return check


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (20, 45), (45, 20), (9, 90)])
@pytest.mark.parametrize("perspective", [True, False])
def test_fragments_are_those_of_reference(rng, agree, size, perspective):
    screen, faces = soup(rng, 120, max(size), batch=2)
    face, *_ = agree(screen, faces, size, perspective=perspective)
    assert (face >= 0).float().mean() > 0.1  # there is something to compare


def test_batches_whose_images_see_different_faces_are_told_apart(rng, agree):
    screen, faces = soup(rng, 60, 24, batch=3)
    screen[1] = screen[1].flip(-2)  # turns every face over
    screen[2, :90] = screen[2, :1]  # the first half has no area
    face, *_ = agree(screen, faces, (24, 24), cull=True)
    assert all((image >= 0).sum() > 30 for image in face)


def test_negative_depths_of_a_weak_perspective_camera_are_kept(rng, agree):
    screen, faces = soup(rng, 60, 24)
    screen[..., 2] -= 400
    face, _, depth = agree(screen, faces, (24, 24), perspective=False)
    assert (depth[face >= 0] < 0).any()


def test_centres_on_edges_belong_to_the_left_and_top(agree):
    corners = torch.tensor([[[1.5, 1.5, 9], [4.5, 1.5, 9], [1.5, 4.5, 9], [4.5, 4.5, 9]]])
    face, *_ = agree(corners, HALVES, (6, 6), flips=0)
    assert (face >= 0).sum() == 9
    assert (agree(SQUARE, HALVES, (8, 8), flips=0)[0] >= 0).all()


def test_of_coinciding_faces_the_lowest_wins(agree):
    twice = torch.cat([HALVES, HALVES.flip(0), HALVES])
    face, *_ = agree(SQUARE, twice, (8, 8), flips=0)
    assert set(face.unique().tolist()) == {0, 1}


def test_background_is_minus_one_zero_and_infinite(agree):
    for screen, faces in [
        (SQUARE + 50, HALVES),
        (SQUARE, HALVES[:0]),
        (SQUARE * 0, HALVES),
        (SQUARE[:0], HALVES),
        (SQUARE[:, :0], HALVES[:0]),
    ]:
        face, weights, depth = agree(screen, faces, (5, 7), flips=0)
        assert (face == -1).all()
        assert (weights == 0).all()
        assert depth.isposinf().all()


def test_all_faces_at_one_depth(agree):
    flat = SQUARE.clone()
    flat[..., 2] = 300
    _, _, depth = agree(flat, HALVES, (8, 8), flips=0)
    torch.testing.assert_close(depth, torch.full((1, 8, 8), 300.0))


def test_double_precision_is_kept(rng, agree):
    screen, faces = soup(rng, 60, 24)
    _, weights, depth = agree(screen.double(), faces.int(), (24, 24))
    assert weights.dtype == depth.dtype == torch.float64


@pytest.mark.parametrize("perspective", [True, False])
def test_a_centre_outside_its_face_is_moved_to_the_border(perspective):
    sliver = torch.tensor([[[0.0, 0.48, 300], [4.0, 0.48, 500], [4.0, 0.481, 900]]])
    face = torch.tensor([[[-1, 0, 0]]])
    weights, depth = locate(sliver, ONE, face, perspective=perspective)
    assert (weights[..., 1:, :] >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.tensor([[[0.0, 1.0, 1.0]]]))
    assert ((depth[..., 1:] >= 300) & (depth[..., 1:] <= 900)).all()


def test_gradients_reach_positions_through_an_adapter(rng, stand_in):
    screen, faces = soup(rng, 40, 16)
    gradients = []
    for name in ("pytorch3d", "cpu"):
        leaf = screen.double().requires_grad_()
        fragments = rasterize(leaf, faces, (16, 16), backend=name)
        fragments.depth[fragments.mask].sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients)


def test_a_context_is_made_once_for_a_device(stand_in):
    before = standins.Context.made
    for _ in range(3):
        nvdiffrast.nearest(SQUARE, HALVES, (8, 8), perspective=True, cull=False)
    assert standins.Context.made == before + 1


def test_auto_takes_nvdiffrast_then_pytorch3d_then_reference(monkeypatch):
    there = {"nvdiffrast", "pytorch3d"}
    for adapter in ADAPTERS.values():
        monkeypatch.setattr(adapter, "find_spec", lambda name: name if name in there else None)
    assert backends.select("auto", CPU) is cpu.nearest
    for expected in (nvdiffrast, pytorch3d, reference):
        assert backends.select("auto", CUDA) is expected.nearest
        there.discard(expected.__name__.rpartition(".")[2])


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "device", "message"),
    [
        (
            "pytorch3d",
            CPU,
            r"PyTorch3D is not installed: pip install .*pytorch3d\.git.*; or use 'cpu'",
        ),
        ("pytorch3d", CUDA, r"PyTorch3D is not installed: pip install .*; or use 'reference'"),
        ("pytorch3d", torch.device("mps"), "cannot rasterize tensors on mps; use 'reference'"),
        ("nvdiffrast", CPU, "draws on CUDA only, not on cpu: use 'cpu'"),
        ("nvdiffrast", torch.device("mps"), "CUDA only, not on mps: use 'reference'"),
        ("nvdiffrast", CUDA, r"pip install .*diffrp-nvdiffrast \(not for commercial use"),
    ],
)
def test_what_is_missing_is_named_with_the_way_to_it(monkeypatch, name, device, message):
    for adapter in ADAPTERS.values():
        monkeypatch.setattr(adapter, "find_spec", lambda name: None)
    assert not backends.supports(name, device)
    with pytest.raises(BackendError, match=message):
        backends.select(name, device)


@pytest.mark.refusal
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_library_that_cannot_be_imported_is_refused(monkeypatch, stand_in, name):
    module = {"pytorch3d": "pytorch3d.structures", "nvdiffrast": "nvdiffrast.torch"}[name]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BackendError, match=r"is installed, but cannot .*use '"):
        ADAPTERS[name].nearest(SQUARE, ONE, (8, 8), perspective=True, cull=False)


@pytest.mark.refusal
def test_a_library_that_cannot_be_compiled_is_refused(monkeypatch, stand_in):
    def fails(device):
        raise OSError("CUDA_HOME is not set\nmore")

    monkeypatch.setattr(sys.modules["nvdiffrast.torch"], "RasterizeCudaContext", fails)
    with pytest.raises(BackendError, match=r"start on cpu \(CUDA_HOME is not set\); use 'py"):
        nvdiffrast.nearest(SQUARE, ONE, (8, 8), perspective=True, cull=False)


@pytest.mark.refusal
def test_pytorch3d_without_cuda_is_refused(monkeypatch, stand_in):
    def fails(*_, **__):
        raise RuntimeError("Not compiled with GPU support")

    renderer = sys.modules["pytorch3d.renderer.mesh.rasterize_meshes"]
    monkeypatch.setattr(renderer, "rasterize_meshes", fails)
    with pytest.raises(BackendError, match="built without CUDA; build it there: pip install"):
        pytorch3d.nearest(SQUARE, ONE, (8, 8), perspective=True, cull=False)


@pytest.mark.refusal
def test_what_is_too_large_for_nvdiffrast_is_refused(monkeypatch, stand_in):
    monkeypatch.setitem(sys.modules, "nvdiffrast", standins.modules("0.3.1")["nvdiffrast"])
    with pytest.raises(BackendError, match=r"0\.3\.1 draws at most 2048 pixels .* update it, or"):
        nvdiffrast.nearest(SQUARE, ONE, (8, 2050), perspective=True, cull=False)
    monkeypatch.setattr(nvdiffrast, "MOST_FACES", 2)
    with pytest.raises(BackendError, match="less than 2 faces a batch, got 2; render fewer"):
        nvdiffrast.nearest(SQUARE, HALVES, (8, 8), perspective=True, cull=False)


@pytest.mark.parametrize("name", backends.NAMES)
def test_the_contract_is_tested_on_every_backend_that_is_here(name):
    if HOMES[name] is None:
        pytest.skip(backends.obstacle(name, DEVICES[-1]))
    assert name in {kind for kind, _ in KINDS}
