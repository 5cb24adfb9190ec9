"""Neck, shoulders and clothes, which stay where they are while the head turns."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.core.records import Record
from morphface.synthetic.dice import Dice
from morphface.synthetic.shapes import BODY, Part, lattice, tube

__all__ = ["Clothes", "body_of", "lying_on_shoulders", "random_clothes", "woven"]

PROFILE = (
    (-125.0, 50.0, 50.0, -72.0),
    (-150.0, 62.0, 60.0, -74.0),
    (-166.0, 96.0, 74.0, -77.0),
    (-180.0, 148.0, 84.0, -80.0),
    (-198.0, 186.0, 92.0, -82.0),
    (-228.0, 208.0, 98.0, -82.0),
    (-300.0, 214.0, 106.0, -80.0),
    (-430.0, 205.0, 108.0, -78.0),
)
"""Heights of a torso, its half width and depth there, and where its middle lies: y, x, z, z in the
model frame, in millimetres; of an adult (ANSUR: biacromial breadth 400, neck 110 to 130)."""
NECKLINES = ("round", "v", "high")
COLLARS = ("none", "none", "none", "shirt", "shirt", "roll", "hood")
PATTERNS = ("plain", "plain", "stripes", "checks", "knit", "dots")
_ROWS, _COLUMNS = 26, 56


@dataclass(frozen=True, eq=False)
class Clothes(Record):
    """What somebody wears.

    Args:
        colours: of the cloth, of its pattern, and of a shirt collar or hood.
        pattern: one of `PATTERNS`.
        scale: length of the pattern, in millimetres.
        neckline: one of `NECKLINES`.
        dip: how deep it reaches in front, in millimetres.
        collar: one of `COLLARS`.
        broad: of shoulders, 1 for the usual.
    """

    colours: Float[Tensor, "3 3"]
    pattern: str
    scale: float
    neckline: str
    dip: float
    collar: str
    broad: float


def random_clothes(dice: Dice) -> Clothes:
    """Clothes of any colour, dark and light ones more often than bright ones."""
    base = dice.uniform(0.03, 0.85, 1) + dice.pick((0.03, 0.08, 0.16)) * dice.normal(3)
    other = base + dice.uniform(-0.3, 0.3, 1) + 0.06 * dice.normal(3)
    collar = dice.pick((base, other, torch.full((3,), 0.8)))
    colours = torch.stack([base, other, collar]).clamp(0.02, 0.9)
    return Clothes(
        colours,
        dice.pick(PATTERNS),
        dice.number(5.0, 22.0),
        dice.pick(NECKLINES),
        dice.number(8.0, 75.0),
        dice.pick(COLLARS),
        dice.number(0.88, 1.12),
    )


def body_of(clothes: Clothes, skin: Float[Tensor, "3"]) -> list[Part]:
    """Torso and collar, in the model frame of a head that looks ahead.

    Args:
        clothes: that are worn.
        skin: colour of the neck.
    """
    parts = [_torso(clothes, skin)]
    if clothes.collar in _COLLARS:
        parts.append(_COLLARS[clothes.collar](clothes))
    return parts


def woven(places: Float[Tensor, "N 3"], clothes: Clothes) -> Float[Tensor, "N 3"]:
    """Colours of cloth.

    Args:
        places: across, down, and how far below the neckline, in millimetres.
        clothes: whose cloth it is.
    """
    across, down, _ = (places * (2 * torch.pi / clothes.scale)).unbind(-1)
    base, other, _ = clothes.colours
    waves = {
        "stripes": torch.sin(down / 2),
        "checks": torch.sin(across / 2) + torch.sin(down / 2),
        "dots": 2 * torch.cos(across / 2) * torch.cos(down / 2) - 1,
        "knit": 0.35 * torch.sin(across * 2) * torch.sin(down) - 0.5,
    }
    wave = waves.get(clothes.pattern)
    if wave is None:
        return base.expand_as(places)
    return torch.lerp(base, other, (0.5 + 2 * wave).clamp(0, 1)[:, None])


def lying_on_shoulders(points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
    """Points moved out of the shoulders, to the front or to the back.

    Args:
        points: in the model frame.
    """
    x, y, z = points.unbind(-1)
    wide, deep, middle = _profile(y.clamp(min=PROFILE[-1][0]))
    inside = (1 - (x / wide).square()).clamp(min=0).sqrt() * (deep + 6)
    front = z > middle
    least, most = middle + inside, middle - inside
    pushed = torch.where(front, torch.maximum(z, least), torch.minimum(z, most))
    share = ramp(y, -150.0, -175.0)
    return torch.stack([x, y, torch.lerp(z, pushed, share)], dim=-1)


def _profile(y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Half width, half depth and middle of a torso at some heights."""
    table = torch.tensor(PROFILE).flip(0)
    place = torch.searchsorted(table[:, 0].contiguous(), y.contiguous()).clamp(1, len(table) - 1)
    low, high = table[place - 1], table[place]
    share = ((y - low[..., 0]) / (high[..., 0] - low[..., 0])).clamp(0, 1)
    wide, deep, middle = torch.lerp(low[..., 1:], high[..., 1:], share[..., None]).unbind(-1)
    return wide, deep, middle


def _torso(clothes: Clothes, skin: Tensor) -> Part:
    steps = torch.linspace(0, 1, _ROWS).square()
    y = PROFILE[0][0] + (PROFILE[-1][0] - PROFILE[0][0]) * steps
    angle = torch.linspace(-torch.pi, torch.pi, _COLUMNS)
    y, angle = torch.meshgrid(y, angle, indexing="ij")
    wide, deep, middle = _profile(y)
    broader = 1 + (clothes.broad - 1) * ramp(y, -160.0, -200.0)
    x = wide * broader * angle.sin()
    points = torch.stack([x, y, middle + deep * angle.cos()], dim=-1).reshape(-1, 3)
    below = _neckline(clothes, angle) - y
    places = torch.stack([wide * angle, -y, below], dim=-1).reshape(-1, 3)
    sky = 1 - 0.42 * ramp(points[:, 1], -215.0, -150.0)
    return Part.of(points, lattice(_ROWS, _COLUMNS), skin, BODY, places=places, open=sky)


def _neckline(clothes: Clothes, angle: Tensor) -> Tensor:
    """Its height around the neck."""
    if clothes.neckline == "high":
        return torch.full_like(angle, -128.0)
    half = 0.9 if clothes.neckline == "round" else 0.6
    inner = (1 - angle.abs() / half).clamp(min=0)
    shape = inner.sqrt() if clothes.neckline == "round" else inner
    return -158.0 - clothes.dip * shape


def _shirt(clothes: Clothes) -> Part:
    """Two flaps that stand around the neck and part in front."""
    reach = torch.linspace(0.25, 2 * torch.pi - 0.25, 48)
    angle, row = torch.meshgrid(reach, torch.tensor([0.0, 1.0, 2.0]), indexing="ij")
    radius = torch.tensor([66.0, 70.0, 90.0])[row.long()]
    front = angle.cos().clamp(min=0).square()
    height = torch.tensor([-150.0, -126.0, -152.0])[row.long()] - 22 * front
    points = torch.stack([radius * angle.sin(), height, radius * angle.cos() - 74], dim=-1)
    return _plain(points.reshape(-1, 3), lattice(48, 3), clothes.colours[2])


def _roll(clothes: Clothes) -> Part:
    """A tube of cloth up to the chin's underside."""
    around = torch.linspace(-torch.pi, torch.pi, 48)
    height, angle = torch.meshgrid(torch.linspace(-118, -165, 8), around, indexing="ij")
    radius = 66 + 4 * torch.sin((height + 118) / 15)
    tilt = height - 16 * angle.cos()
    points = torch.stack([radius * angle.sin(), tilt, radius * angle.cos() - 72], dim=-1)
    return _plain(points.reshape(-1, 3), lattice(8, 48), clothes.colours[0])


def _hood(clothes: Clothes) -> Part:
    """A bulge that lies around the neck, open in front."""
    angle = torch.linspace(0.5, 2 * torch.pi - 0.5, 40)
    height = -152 - 22 * angle.cos().clamp(min=0)
    path = torch.stack([92 * angle.sin(), height, 80 * angle.cos() - 78], dim=-1)
    points, _, faces = tube(path, 14.0, sides=10)
    return _plain(points, faces, 0.9 * clothes.colours[0])


_COLLARS = {"shirt": _shirt, "roll": _roll, "hood": _hood}


def _plain(points: Tensor, faces: Tensor, colour: Tensor) -> Part:
    """Cloth without a pattern."""
    return Part.of(points, faces, colour, BODY, places=torch.full_like(points, -1.0))
