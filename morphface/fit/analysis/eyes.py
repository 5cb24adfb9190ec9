"""Where the eyes look, from the pixels between the lids.

A step of Gauss-Newton feels an iris only where it overlaps the one in the photo, so that a start
that is ten degrees off stays there. Here all directions are tried instead. An eyeball has parts
of one colour each, pupil, iris and sclera, bounded by circles about its line of sight. For each
direction the colours of the parts are those that explain the pixels best, in closed form; what
they leave over, robustly, and the priors say how likely the direction is. From coarse to fine,
and at last the mean of what is likely.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from morphface.core.kept import once_each
from morphface.core.records import Record
from morphface.fit.analysis.lens import Lens, View, box_around, crop, look_up
from morphface.fit.analysis.sampling import Samples, see
from morphface.fit.analysis.scene import Scene
from morphface.models import Eye, MorphableModel, gaze_rotation

__all__ = [
    "Expected",
    "Glance",
    "Parts",
    "eye_view",
    "glances",
    "likely_gaze",
    "parts_of",
    "parts_seen",
]

_LEAST_SPREAD = 0.1  # of albedo; shine and the shade of lids are no albedo
_DARKEST = 0.05  # light on a white surface, at least
_SPACING = 0.4  # millimetres between pixels, at the finest
_NOISE = 0.05  # standard deviation of a channel, at first and at least (measured)
_MOST = 300  # pixels of an eye that are looked at
_LEVELS = ((5.0, (8, 7), 3), (1.5, (3, 3), 1), (0.5, (3, 3), 1))
"""Degrees between directions, how many each way in yaw and pitch, and which pixels: every nth."""
_AREA = 1.0  # square millimetres of an eye that are one independent observation
_ROUNDS = 2
_IRIS = (0.08, 25.0)  # radians that an iris is off as often as not, and its worth
_FARTHEST = (0.45, 1e5)
"""Radians by which one is never off, and how unlikely each beyond is: lashes under make-up look
like an iris in a corner of the eye. On 46 faces of photos others are off by at most 0.38."""


@dataclass(frozen=True, eq=False)
class Parts(Record):
    """What an eyeball looks like.

    Args:
        ends: angles from the line of sight where the pupil and the iris end, in radians.
        mean: expected albedo of pupil, iris and sclera.
        spread: its standard deviation.
        pupils: which vertices of the left and of the right eyeball are its pupil.
    """

    ends: tuple[float, float]
    mean: Float[Tensor, "3 3"]
    spread: Float[Tensor, "3 3"]
    pupils: tuple[Int[Tensor, " p"], ...]


@dataclass(frozen=True, eq=False)
class Glance(Record):
    """What is seen of one eye.

    Args:
        ahead: where the pupil is when it looks ahead, a unit vector from its centre in the head
            frame.
        towards: unit vectors to what each pixel shows.
        white: what white would show there.
        seen: the photo's colour.
        worth: how many independent observations each pixel is.
        blur: angle about the centre that a pixel covers, in radians.
        iris: gaze that the landmarks of the iris say, or None.
    """

    ahead: Float[Tensor, "3"]
    towards: Float[Tensor, "n 3"]
    white: Float[Tensor, "n 3"]
    seen: Float[Tensor, "n 3"]
    worth: Float[Tensor, " n"]
    blur: float
    iris: Float[Tensor, "2"] | None = None


@once_each
@torch.no_grad()
def parts_of(model: MorphableModel) -> Parts | None:
    """What the model's eyeballs look like, or None where it does not say."""
    names = ("pupil", "iris", "sclera")
    if not model.eyes or model.reflectance is None or not set(names) <= set(model.regions):
        return None
    eye, colours = model.eyes[0], model.reflectance
    ball = eye.vertices.long()
    away = _from_sight(model, eye)
    inside = [model.regions[name][ball] > 0.5 for name in names]
    if not all(part.any() for part in inside):
        return None
    ends = [
        float(away[inner].max() + away[outer].min()) / 2
        for inner, outer in zip(inside[:-1], inside[1:], strict=True)
    ]
    mean = torch.stack([colours.mean[ball][part].mean(dim=0) for part in inside])
    moves = torch.stack([colours.directions[:, ball][:, part].mean(dim=1) for part in inside])
    dark = model.regions["pupil"] > 0.5
    pupils = tuple(torch.nonzero(dark[eye.vertices.long()])[:, 0] for eye in model.eyes)
    return Parts((ends[0], ends[1]), mean, moves.norm(dim=1).clamp(min=_LEAST_SPREAD), pupils)


def _from_sight(model: MorphableModel, eye: Eye) -> Float[Tensor, " n"]:
    """Angles of an eyeball's vertices from where it looks at rest."""
    mean = model.identity.mean
    arm = normalize(mean[eye.vertices.long()] - eye.centre(mean), dim=-1)
    return arm[:, 2].clamp(-1, 1).acos()


def eye_view(
    photo: Float[Tensor, "H W 3"], lens: Lens, scene: Scene, mix: Float[Tensor, "3 3"] | None
) -> View:
    """The part of a photo that shows the eyes, hardly shrunk.

    Args:
        photo: all of it.
        lens: to its pixels.
        scene: where the fit stands.
        mix: see `View`.
    """
    balls = torch.cat([eye.vertices for eye in scene.surface.eyes])
    spots = scene.screen(lens)[balls, :2]
    height, width = photo.shape[:2]
    box = box_around(spots, (height, width))
    return crop(photo, lens, box, ratio=scene.pixel(lens) / _SPACING, mix=mix)


def glances(
    scene: Scene, near: View, parts: Parts, clear: View, irises: Sequence[Tensor | None]
) -> tuple[Glance, ...]:
    """What is seen of each eye.

    Args:
        scene: where the fit stands.
        near: from `eye_view`.
        parts: of the model.
        clear: a view that knows what hides the face.
        irises: gaze that the landmarks of each say.
    """
    found = see(scene, near)
    pixel = torch.nonzero(found.mask[0].flatten())[:, 0]
    corners = scene.surface.faces[found.face[0].flatten()[pixel]]
    weights = found.barycentric[0].reshape(-1, 3)[pixel].to(scene.points)
    scope = _Scope(scene, near, clear, Samples(corners, weights, pixel, weights[:, 0]))
    return tuple(_glance(scope, side, parts.pupils[side], iris) for side, iris in enumerate(irises))


@dataclass(frozen=True, eq=False)
class _Scope:
    """A scene, its views, and what each pixel of the near one shows."""

    scene: Scene
    near: View
    clear: View
    drawn: Samples


def _glance(scope: _Scope, side: int, pupil: Int[Tensor, " p"], iris: Tensor | None) -> Glance:
    scene, near = scope.scene, scope.near
    eye, identity = scene.surface.eyes[side], scene.look.identity
    own = torch.zeros_like(scene.surface.weight, dtype=torch.bool)
    own[eye.vertices] = True
    kept = torch.nonzero(own[scope.drawn.corners].all(dim=1))[:, 0]
    every = max(1, math.ceil(len(kept) / _MOST))
    some = scope.drawn.map(lambda values: values[kept[::every]])
    centre = eye.centre + eye.basis[:, : len(identity)] @ identity
    ball = scene.shape[eye.vertices] - centre
    spots = scope.clear.lens.project(some.blend(scene.points), scene.look.focal)[:, :2]
    size = scene.pixel(near.lens)
    open_share = look_up(scope.clear.open[..., None], spots)[:, 0]
    return Glance(
        ahead=normalize(ball[pupil].mean(dim=0) @ gaze_rotation(scene.look.gaze[side]), dim=0),
        towards=normalize(some.blend(scene.shape) - centre, dim=1),
        white=near.mixed(some.blend(scene.light)).clamp(min=_DARKEST),
        seen=near.image.flatten(0, 1)[some.pixel],
        worth=open_share * (size**2 * every / _AREA),
        blur=size / float(ball.norm(dim=1).mean()),
        iris=iris,
    )


@dataclass(frozen=True, eq=False)
class Expected:
    """What is expected of gaze before a pixel is seen, as standard deviations in radians.

    Args:
        mean: of the mean of both eyes.
        vergence: of the difference of their yaw.
        upright: of the difference of their pitch.
    """

    mean: float
    vergence: float
    upright: float


def likely_gaze(eyes: tuple[Glance, ...], parts: Parts, expected: Expected) -> Float[Tensor, "2 2"]:
    """(yaw, pitch) of both eyes: the mean of what is likely around the best directions."""
    best, noise = eyes[0].towards.new_zeros(2, 2), [_NOISE, _NOISE]
    for degrees, (across, up), nth in _LEVELS:
        near = _grid(across, up).to(best) * math.radians(degrees)
        tried = [angle + near for angle in best]
        judged = [
            _unlikely(_every(eye, nth), parts, angles, spread)
            for eye, angles, spread in zip(eyes, tried, noise, strict=True)
        ]
        joint = _together(tried, [cost for cost, _ in judged], expected)
        at = divmod(int(joint.argmin()), len(near))
        best = torch.stack([tried[side][at[side]] for side in (0, 1)])
        noise = [max(_NOISE, float(judged[side][1][at[side]])) for side in (0, 1)]
    share = torch.exp(joint.min() - joint)
    share = share / share.sum()
    return torch.stack([share.sum(dim=1) @ tried[0], share.sum(dim=0) @ tried[1]])


def _grid(across: int, up: int) -> Float[Tensor, "m 2"]:
    yaw, pitch = torch.arange(-across, across + 1.0), torch.arange(-up, up + 1.0)
    return torch.cartesian_prod(yaw, pitch)


def _every(eye: Glance, nth: int) -> Glance:
    """An eye with a part of its pixels, each of which stands for more."""
    pixels = {name: getattr(eye, name)[::nth] for name in ("towards", "white", "seen")}
    return replace(eye, **pixels, worth=eye.worth[::nth] * nth)


def _together(
    tried: list[Float[Tensor, "m 2"]], costs: list[Float[Tensor, " m"]], expected: Expected
) -> Float[Tensor, "m m"]:
    """The energy of each pair of directions of the left and the right eye."""
    left, right = tried[0][:, None], tried[1][None]
    apart, mean = left - right, (left + right) / 2
    prior = (apart / apart.new_tensor([expected.vergence, expected.upright])).square().sum(dim=-1)
    prior = prior + (mean / expected.mean).square().sum(dim=-1)
    return costs[0][:, None] + costs[1][None] + prior / 2


def _unlikely(
    eye: Glance, parts: Parts, tried: Float[Tensor, "m 2"], noise: float
) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
    """The energy of each direction of one eye, and the noise of the colours that it leaves."""
    shares = _shares(eye, parts, tried)
    worth, square = eye.worth[:, None], eye.white.square()
    cross, loose = eye.white * eye.seen, parts.spread.to(square) ** -2
    mean, trust = parts.mean.to(square), torch.ones_like(shares[0])
    for _ in range(_ROUNDS):
        colours = []
        for k, share in enumerate(shares):
            pure = (share.square() * trust).T * (eye.worth / noise**2)
            colours.append((pure @ cross + loose[k] * mean[k]) / (pure @ square + loose[k]))
        squares = _squares(eye, shares, colours)
        root = (squares / noise**2 + 1).sqrt()
        trust = 1 / root
    off = torch.stack(colours, dim=1) - mean
    prior = (loose * off.square()).sum(dim=(1, 2)) / 2
    energy = (worth * (root - 1)).sum(dim=0) + prior + _off_iris(eye, tried)
    return energy, (worth * squares.sqrt()).sum(dim=0) / worth.sum().clamp(min=1e-9) / 1.6


def _squares(
    eye: Glance, shares: tuple[Tensor, ...], colours: list[Float[Tensor, "m 3"]]
) -> Float[Tensor, "n m"]:
    """Squared length of photo minus model for each pixel and direction."""
    square, cross = eye.white.square(), eye.white * eye.seen
    out = eye.seen.square().sum(dim=1, keepdim=True) + torch.zeros_like(shares[0])
    for k, share in enumerate(shares):
        near = share * (square @ colours[k].square().T) - 2 * (cross @ colours[k].T)
        if k + 1 < len(shares):
            near += 2 * shares[k + 1] * (square @ (colours[k] * colours[k + 1]).T)
        out += share * near
    return out.clamp(min=0)


def _shares(
    eye: Glance, parts: Parts, tried: Float[Tensor, "m 2"]
) -> tuple[Float[Tensor, "n m"], ...]:
    """How far each pixel shows pupil, iris and sclera for each direction."""
    sight = gaze_rotation(tried) @ eye.ahead
    away = (eye.towards @ sight.T).clamp(-1, 1).acos()
    pupil, inside = ((0.5 + (end - away) / eye.blur).clamp(0, 1) for end in parts.ends)
    return pupil, inside - pupil, 1 - inside


def parts_seen(eye: Glance, parts: Parts, gaze: Float[Tensor, "2"]) -> tuple[Tensor, ...]:
    """How far each pixel shows pupil, iris and sclera of an eye that looks along `gaze`."""
    return tuple(share[:, 0] for share in _shares(eye, parts, gaze[None]))


def _off_iris(eye: Glance, tried: Float[Tensor, "m 2"]) -> Float[Tensor, " m"] | float:
    if eye.iris is None:
        return 0.0
    spread, worth = _IRIS
    off = (tried - eye.iris).square().sum(dim=1)
    farthest, strong = _FARTHEST
    return worth * (off / spread**2).log1p() + strong * (off.sqrt() - farthest).clamp(min=0)
