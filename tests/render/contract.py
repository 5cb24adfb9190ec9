"""What the contract tests share: small scenes, and drawing them on every backend."""

from dataclasses import dataclass

import torch

from morphface.render import Fragments, backends, rasterize

SQUARE = torch.tensor([[[0.0, 0, 10], [8, 0, 14], [0, 8, 12], [8, 8, 16]]])  # fills 8 x 8 pixels
HALVES = torch.tensor([[0, 1, 2], [3, 2, 1]])
ONE = torch.tensor([[0, 1, 2]])
PRECISIONS = (torch.float32, torch.float64)
DEVICES = [torch.device(kind) for kind in ["cpu", "cuda"][: 1 + torch.cuda.is_available()]]
HOMES = {
    name: next((device for device in DEVICES if not backends.obstacle(name, device)), None)
    for name in backends.NAMES
}
KINDS = [(name, dtype) for name, device in HOMES.items() if device for dtype in PRECISIONS]


@dataclass(frozen=True)
class Draw:
    """`rasterize` by one backend in one precision, wherever that runs; results on the CPU."""

    backend: str
    dtype: torch.dtype
    device: torch.device

    def __call__(self, screen, faces, size, **options):
        screen = screen.to(self.device, self.dtype)
        found = rasterize(screen, faces.to(self.device), size, backend=self.backend, **options)
        assert found.face.dtype == torch.int64
        assert found.barycentric.dtype == found.depth.dtype == self.dtype
        assert {found.face.device, found.barycentric.device, found.depth.device} == {screen.device}
        return Fragments(
            found.face.cpu(), found.barycentric.float().cpu(), found.depth.float().cpu()
        )


def soup(rng, faces, extent, batch=1):
    """Separate random triangles, a few of them partly off the screen."""
    screen = (torch.rand(batch, faces, 1, 3, generator=rng) * 1.2 - 0.1) * extent
    screen = screen + (torch.rand(batch, faces, 3, 3, generator=rng) - 0.5) * extent / 4
    screen[..., 2] = 300 + 200 * torch.rand(batch, faces, 3, generator=rng)
    return screen.flatten(1, 2), torch.arange(faces * 3).reshape(faces, 3)


def assert_agree(got, want, flips):
    """The same inside faces, and a bounded share of other faces at edges."""
    interior = (want.barycentric.amin(dim=-1) > 1e-3) & (got.face == want.face)
    torch.testing.assert_close(
        got.barycentric[interior], want.barycentric[interior], atol=1e-4, rtol=1e-4
    )
    torch.testing.assert_close(got.depth[interior], want.depth[interior])
    assert (got.face != want.face).float().mean() <= flips


def same(one, other):
    return (
        torch.equal(one.face, other.face)
        and torch.equal(one.barycentric, other.barycentric)
        and torch.equal(one.depth, other.depth)
    )
