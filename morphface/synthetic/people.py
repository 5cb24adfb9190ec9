"""An endless stream of pairs of pictures of people, with all that one-shot generators learn from.

A person is drawn in some frames, and every ordered pair of them is a take: one is the reference
photo, the other the frame to make. Maps, flow and mattes are those of the meshes that were drawn.
The prior of the flow is made of the mesh of the bald head alone and extended, as it is for photos,
where nothing is known of hair and clothes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import roma
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.core.kept import Kept
from morphface.core.records import Record
from morphface.edit.named import named_values, names_of
from morphface.edit.pose import turned_to
from morphface.generate.bridge import taught_values
from morphface.generate.reference import Reference
from morphface.generate.take import Take
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.render import Flow, Fragments, flow_between, rasterize, render_maps
from morphface.render.conditions import DRAWN, INSIDE
from morphface.render.maps import LABELS
from morphface.render.maps.scene import posed
from morphface.render.points import points_between
from morphface.render.prior import flow_prior
from morphface.synthetic.dice import Dice
from morphface.synthetic.draw import Shot, finest_of, photograph
from morphface.synthetic.light import random_exposure
from morphface.synthetic.motion import Motion, Motions, default_motion
from morphface.synthetic.person import Person, random_person

__all__ = ["Scene", "SyntheticPeople", "moved"]

TOGETHER = 8
"""People whose pairs take turns, so that a batch shows several."""


@dataclass(frozen=True, eq=False)
class Scene(Record):
    """All frames of a person.

    Args:
        shots: pictures.
        windows: maps of each frame's window, frame-major.
        inside: where the mesh shows the inside of the mouth.
        screens: where the mesh's vertices are seen.
        found: what `rasterize` found of the mesh.
        mouths: middle of the mouth in pixels.
        person: who is seen.
        poses: of the frames.
    """

    shots: tuple[Shot, ...]
    windows: Float[Tensor, "K C S S"]
    inside: Bool[Tensor, "K S S"]
    screens: Float[Tensor, "K V 3"]
    found: Fragments
    mouths: Float[Tensor, "K 2"]
    person: Person
    poses: FaceParameters


class SyntheticPeople:
    """Takes of people that nobody is, by number; the same number is the same take.

    Args:
        seed: of all of them: other seeds are other people.
        size: side of pictures in pixels.
        frames: of each person, all ordered pairs of which are takes.
        maps: of a window: some of `render.conditions.DRAWN` in an order; none for generators that
            see no maps.
        offsets: frames of a window relative to its target, rising to 0.
        motion: where motion comes from; None takes the packaged process.
        model: of the heads; None takes the open head.
        photos: reference photos of a take, other frames of the person than the one to make.
        points: key points that takes have as their style; 0 for none.
        jaws: every second frame is the one before it with the jaw opened anew, evenly from shut to
            wide, and nothing else moved: so that a motion without names can tell a mouth from a
            pose.

    Raises:
        ParameterError: a value makes no sense, or the model lacks what people are made of.
    """

    count: int | None = None
    """Endless."""
    longest = 1
    """Frames of a take."""

    def __init__(
        self,
        seed: int = 0,
        size: int = 64,
        *,
        frames: int = 6,
        maps: tuple[str, ...] = ("correspondence",),
        offsets: tuple[int, ...] = (-2, -1, 0),
        motion: Motions | None = None,
        model: MorphableModel | None = None,
        photos: int = 1,
        points: int = 0,
        jaws: bool = False,
    ) -> None:
        _check(size, frames, maps, offsets)
        if not 1 <= photos < frames:
            raise ParameterError(
                f"photos must be from 1 to {frames - 1}, one less than the frames, got {photos}"
            )
        self.photos, self.points, self.jaws = photos, points, jaws
        self.seed, self.size, self.frames = seed, size, frames
        self.maps, self.offsets = maps, offsets
        self._model = load_model() if model is None else model
        self._motion = default_motion(self._model) if motion is None else motion
        self._scenes: Kept[int, Scene] = Kept(TOGETHER)

    def take(self, number: int, length: int = 1) -> Take:
        """A pair of frames, or further photos of the same person with it.

        Args:
            number: from 0. People follow one another, some of them at a time.
            length: is 1 whatever is asked for.
        """
        pairs = self.frames * (self.frames - 1)
        slot, turn = number % TOGETHER, number // TOGETHER
        life, place = divmod(turn + slot * pairs // TOGETHER, pairs)
        who = life * TOGETHER + slot
        order = torch.randperm(pairs, generator=Dice(self.seed, who, 1).generator)
        source, target = divmod(int(order[place]), self.frames - 1)
        target += target >= source
        others = [k % self.frames for k in range(source + 1, source + self.frames)]
        others.remove(target)
        return self.album(who, (source, *others[: self.photos - 1]), target)

    def scene(self, who: int) -> Scene:
        """All frames of a person.

        Args:
            who: number of the person, from 0.
        """
        return self._scenes.get(who, lambda: self._drawn(Dice(self.seed, who)))

    def posed(self, count: int) -> Iterator[tuple[Float[Tensor, "1 3 S S"], FaceParameters]]:
        """About so many pictures, from -1 to 1, and the parameters of each, person by person.

        Args:
            count: of pictures; all frames of the last person are there.
        """
        for who in range(-(-count // self.frames)):
            scene = self.scene(who)
            for k, shot in enumerate(scene.shots):
                yield _signed(shot.image), scene.poses[k]

    def flow(self, who: int, source: int, target: int) -> Flow:
        """The flow of the mesh between two frames of a person.

        Args:
            who: number of the person.
            source: frame that the flow points into.
            target: frame whose pixels it is given for.
        """
        scene, size = self.scene(who), (self.size, self.size)
        screens = scene.screens[[source]], scene.screens[[target]]
        drawn = scene.found.map(lambda v: v[[source]]), scene.found.map(lambda v: v[[target]])
        return flow_between(self._model.faces, *screens, size, drawn=drawn)

    def pair(self, who: int, source: int, target: int) -> Take:
        """A take of two frames of a person.

        Args:
            who: number of the person.
            source: frame that is the reference photo.
            target: frame to make.
        """
        return self.album(who, (source,), target)

    def album(self, who: int, sources: Sequence[int], target: int) -> Take:
        """A take of several frames of a person.

        Args:
            who: number of the person.
            sources: frames that are the reference photos.
            target: frame to make.
        """
        scene = self.scene(who)
        shot = scene.shots[target]
        mouth, style = scene.mouths[target][None], torch.zeros(1, 0)
        if self.points:
            screens, size = scene.screens, (self.size, self.size)
            pair = screens[[sources[0]]], screens[[target]]
            style = points_between(self._model, *pair, self.points, size)
        window, name = scene.windows[target][None], f"{self.seed}-{who}"
        references = tuple(self._reference(who, source, target) for source in sources)
        frame, matte = _signed(shot.image), shot.matte[None, None]
        named = taught_values(named_values(scene.poses[target]), names_of(self._model))
        return Take(references, window, frame, matte, mouth, style, name, name, named)

    def _reference(self, who: int, source: int, target: int) -> Reference:
        """A frame as the photo that another one is made from."""
        scene = self.scene(who)
        photo = scene.shots[source]
        prior = flow_prior(self.flow(who, source, target), scene.inside[target][None])
        channels = scene.windows.shape[1] // len(self.offsets)
        return Reference(
            _signed(photo.image),
            scene.windows[source, -channels:][None] if channels else scene.windows[[source]],
            photo.matte[None, None],
            prior.flow.permute(0, 3, 1, 2),
            prior.valid[:, None].float(),
        )

    @torch.no_grad()
    def _drawn(self, dice: Dice) -> Scene:
        size, model = self.size, self._model
        person = random_person(model, size, finest_of(size), dice)
        poses = self._poses(person, dice)
        last = slice(len(self.offsets) - 1, None, len(self.offsets))
        parts = render_maps(model, poses, person.camera, (*self.maps, "parsing"))
        stacked = parts.stack(self.maps) if self.maps else torch.zeros(poses.frames, size, size, 0)
        windows = stacked.unflatten(0, (self.frames, -1)).permute(0, 1, 4, 2, 3)
        inside = torch.isin(parts.labels()[last], _inside())
        shown = poses[last]
        screens = person.camera.project(posed(model, shown))
        lips = model.regions["lips"] > 0.5
        shots = [photograph(person, shown[k], random_exposure(dice)) for k in range(self.frames)]
        return Scene(
            tuple(shots),
            windows.flatten(1, 2).contiguous(),
            inside,
            screens,
            rasterize(screens, model.faces, (size, size)),
            screens[:, lips, :2].mean(1),
            person,
            shown,
        )

    def _poses(self, person: Person, dice: Dice) -> FaceParameters:
        """Frames of all windows, one window after the other."""
        reach = self.offsets[-1] - self.offsets[0] + 1
        rows = torch.tensor(self.offsets) - self.offsets[0]
        pieces = [
            self._motion.piece(reach, dice).map(lambda v: v[rows]) for _ in range(self.frames)
        ]
        if self.jaws:
            names = self._model.expression.names
            for k in range(1, self.frames, 2):
                pieces[k] = with_jaw(pieces[k - 1], names, float(dice.number(0, 1)))
        return moved(person, pieces)


def _inside() -> Tensor:
    return torch.tensor([LABELS.index(name) for name in INSIDE])


def _groups(motion: Motion) -> tuple[Tensor, ...]:
    return motion.expression, motion.rotation, motion.shift, motion.gaze


def with_jaw(piece: Motion, names: Sequence[str], jaw: float) -> Motion:
    """A piece of motion with another jaw in all of its frames.

    Args:
        piece: of any frames.
        names: of its expression.
        jaw: weight of `jawOpen`.
    """
    expression = piece.expression.clone()
    expression[:, names.index("jawOpen")] = jaw
    return replace(piece, expression=expression)


def moved(person: Person, pieces: Sequence[Motion]) -> FaceParameters:
    """A person who moves.

    Args:
        person: who, and where at rest.
        pieces: of motion, one after the other.
    """
    parts = zip(*map(_groups, pieces), strict=True)
    expression, rotation, shift, gaze = (torch.cat(part) for part in parts)
    frames = len(expression)
    rest = FaceParameters(
        identity=person.identity,
        expression=expression,
        reflectance=person.reflectance,
        illumination=person.light.around.expand(frames, 9, 3),
        rotation=person.rotation.expand(frames, 3),
        translation=person.translation.expand(frames, 3),
        gaze=gaze,
    )
    matrices = roma.rotvec_to_rotmat(rotation) @ roma.rotvec_to_rotmat(person.rotation)
    turned = turned_to(rest, roma.rotmat_to_rotvec(matrices))
    away = person.translation[2].abs()
    return replace(turned, translation=turned.translation + shift * away)


def _signed(image: Float[Tensor, "S S 3"]) -> Float[Tensor, "1 3 S S"]:
    return (image * 2 - 1).permute(2, 0, 1)[None]


def _check(size: int, frames: int, maps: tuple[str, ...], offsets: tuple[int, ...]) -> None:
    if not 16 <= size <= 1024:
        raise ParameterError(f"size must be from 16 to 1024 pixels, got {size}")
    if frames < 2:
        raise ParameterError(f"frames must be 2 or more, for pairs of them, got {frames}")
    if not set(maps) <= set(DRAWN):
        raise ParameterError(f"maps must be of {', '.join(DRAWN)}, got {', '.join(maps)}")
    if not offsets or offsets[-1] != 0 or sorted(set(offsets)) != list(offsets):
        raise ParameterError(f"offsets must rise to 0, got {offsets}")
