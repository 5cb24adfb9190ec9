"""Pictures of rendered people with points inside and outside of them, without end.

What stands for the fitted mesh is the true one, moved and changed as fits err.
"""

from dataclasses import replace

import roma
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from morphface.core.kept import Kept
from morphface.generate.implicit import Probes, space_code
from morphface.geometry.angles import angles_to_rotvec
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.render.aligned import ALIGNED, HIGH, LOW, AlignedHead, check_aligned, head_crop
from morphface.synthetic.dice import Dice
from morphface.synthetic.draw import finest_of, photograph
from morphface.synthetic.light import random_exposure, random_light
from morphface.synthetic.motion import Motions, default_motion
from morphface.synthetic.people import moved
from morphface.synthetic.person import Person, random_person
from morphface.synthetic.solid import Solid, solid_of

__all__ = ["SyntheticHeads", "as_fitted", "erring", "spread_points", "whole"]

VIEWS = 4
"""Frames of a person."""
TOGETHER = 8
"""People whose frames take turns, so that a batch shows several."""
TURNS = (24.0, 9.0, 5.0)
"""Standard deviations of yaw, pitch and roll of heads, in degrees."""
SPREADS = (10.0, 3.0)
"""Standard deviations with which points lie about the surface, for a half of them each, in
millimetres: PIFuHD's 50 and 30 are of people seven times as high as a head."""
EVENLY = 1 / 16
"""Share of points that lie anywhere in the box."""
GAP = 5
"""Pixels that are averaged where hair has gaps."""
ERRORS = {"identity": 0.25, "turn": 1.5, "aside": 1.5, "ahead": 8.0}
"""Of a fit: in standard deviations, degrees and millimetres."""


class SyntheticHeads:
    """Probes of people that nobody is, by number; the same number is the same.

    Args:
        seed: of all of them.
        size: of pictures in pixels.
        points: of each.
        maps: beside the colours: some of `ALIGNED`, in order.
        model: of the heads; None takes the open head.
        motion: where expressions come from; None takes the packaged process.

    Raises:
        ParameterError: a map is none of those.
    """

    count: int | None = None
    """Endless."""

    def __init__(
        self,
        seed: int = 0,
        size: int = 256,
        *,
        points: int = 8000,
        maps: tuple[str, ...] = ALIGNED,
        model: MorphableModel | None = None,
        motion: Motions | None = None,
    ) -> None:
        check_aligned(maps)
        self.seed, self.size, self.points, self.maps = seed, size, points, maps
        self._model = load_model() if model is None else model
        self._motion = default_motion(self._model) if motion is None else motion
        self._people: Kept[int, Person] = Kept(TOGETHER)

    @torch.no_grad()
    def probes(self, number: int) -> Probes:
        """One picture with its points.

        Args:
            number: from 0. People follow one another, some of them at a time.
        """
        round_, place = divmod(number, TOGETHER * VIEWS)
        who, view = round_ * TOGETHER + place % TOGETHER, place // TOGETHER
        dice = Dice(self.seed, who, view)
        person, pose = self.posed(who, dice)
        fitted = erring(pose, dice)
        crop = head_crop(person.camera, fitted, self.size)
        person = replace(person, camera=crop.camera(person.camera))
        shot = photograph(person, pose, random_exposure(dice))
        head = AlignedHead(self._model, fitted, person.camera)
        solid = solid_of(person, pose)
        points = spread_points(solid, self.points, dice)
        inside = solid.distance(points) < 0
        own = as_fitted(points, pose, fitted)
        nearest = head.nearest(own)
        space = space_code(nearest.distance, head.mean_places(nearest))
        picture = head.picture(shot.image, shot.matte, whole(shot.hair), self.maps)
        return Probes(picture[None], head.places(own)[None], space[None], inside[None])

    def posed(self, who: int, dice: Dice) -> tuple[Person, FaceParameters]:
        """A person, turned and lit anew, in a frame.

        Args:
            who: number of the person.
            dice: what draws the frame.
        """
        person = self._people.get(who, lambda: self._person(who))
        turned = angles_to_rotvec(torch.deg2rad(dice.normal(3) * torch.tensor(TURNS)))
        person = replace(person, rotation=turned, light=random_light(dice))
        return person, moved(person, [self._motion.piece(1, dice)])

    def _person(self, who: int) -> Person:
        return random_person(self._model, self.size, finest_of(self.size), Dice(self.seed, who))


def erring(pose: FaceParameters, dice: Dice) -> FaceParameters:
    """Parameters as a fit might find them.

    Args:
        pose: the true ones.
        dice: draws the errors.
    """
    identity = pose.identity + ERRORS["identity"] * dice.normal(*pose.identity.shape)
    turn = roma.rotvec_to_rotmat(torch.deg2rad(ERRORS["turn"] * dice.normal(1, 3)))
    matrix = turn @ roma.rotvec_to_rotmat(pose.rotation)
    spread = torch.tensor([ERRORS["aside"], ERRORS["aside"], ERRORS["ahead"]])
    shift = spread * dice.normal(1, 3)
    rotation, translation = roma.rotmat_to_rotvec(matrix), pose.translation + shift
    return replace(pose, identity=identity, rotation=rotation, translation=translation)


def as_fitted(
    points: Float[Tensor, "N 3"], pose: FaceParameters, fitted: FaceParameters
) -> Float[Tensor, "N 3"]:
    """Points of the true model frame in the fitted one: both are the same in the camera frame.

    Args:
        points: in the model frame.
        pose: the true one.
        fitted: what was found.
    """
    true, found = (roma.rotvec_to_rotmat(p.rotation[0]) for p in (pose, fitted))
    return (points @ true.T + pose.translation[0] - fitted.translation[0]) @ found


def whole(hair: Float[Tensor, "S S"]) -> Float[Tensor, "S S"]:
    """Hair without the gaps between its strands, as pictures are told apart into parts.

    Args:
        hair: how much of each pixel is hair.
    """
    blurred = avg_pool2d(hair[None, None], GAP, 1, GAP // 2, count_include_pad=False)[0, 0]
    return (2 * blurred).clamp(0, 1)


def spread_points(solid: Solid, count: int, dice: Dice) -> Float[Tensor, "N 3"]:
    """Points about the surface of a person, and some anywhere.

    Args:
        solid: the person.
        count: how many.
        dice: what draws them.
    """
    low, high = torch.tensor(LOW), torch.tensor(HIGH)
    anywhere = int(count * EVENLY)
    about = count - anywhere
    hairy = about // 2 if solid.hair is not None else 0
    parts = [solid.on_head(about - hairy, dice)]
    if solid.hair is not None:
        parts.append(solid.hair.on_surface(hairy, dice))
    near = torch.cat(parts)
    spread = torch.tensor(SPREADS)[dice.whole(2, about)]
    near = near + spread[:, None] * dice.normal(about, 3)
    return torch.cat([near, low + (high - low) * dice.uniform(0, 1, anywhere, 3)])
