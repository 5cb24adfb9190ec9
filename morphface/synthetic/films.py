"""Consecutive frames of people that nobody is: what the depth of faces is learnt from."""

import torch

from morphface.core.errors import ParameterError
from morphface.core.kept import Kept
from morphface.generate.reference import Reference
from morphface.generate.take import Take
from morphface.models import MorphableModel, load_model
from morphface.synthetic.dice import Dice
from morphface.synthetic.draw import finest_of, photograph
from morphface.synthetic.light import random_exposure
from morphface.synthetic.motion import Motions, default_motion
from morphface.synthetic.people import TOGETHER, moved
from morphface.synthetic.person import random_person

__all__ = ["SyntheticFilms"]


class SyntheticFilms:
    """Takes of consecutive frames, by number; the same number is the same take.

    A person is drawn in some frames, and stretches of them are takes; people take turns. Pictures
    are all that they have: maps and flow are empty, and the first frame is the photo.

    Args:
        seed: of all people.
        size: side of pictures in pixels.
        frames: of each person.
        apart: frames of the motion from one picture to the next; heads turn little in one.
        longest: the most frames of a take.
        motion: as of `SyntheticPeople`.
        model: of the heads; None takes the open head.

    Raises:
        ParameterError: a person has fewer frames than a take, or a value makes no sense.
    """

    count: int | None = None
    """Endless."""

    def __init__(
        self,
        seed: int = 0,
        size: int = 64,
        *,
        frames: int = 8,
        apart: int = 5,
        longest: int = 3,
        motion: Motions | None = None,
        model: MorphableModel | None = None,
    ) -> None:
        if not (frames >= longest >= 1 and apart >= 1):
            raise ParameterError(
                "frames must be as many as longest or more, and both and apart positive, got "
                f"{frames}, {longest} and {apart}"
            )
        self.longest, self._seed, self._size = longest, seed, size
        self._frames, self._apart = frames, apart
        self._model = load_model() if model is None else model
        self._motion = default_motion(self._model) if motion is None else motion
        self._films: Kept[int, torch.Tensor] = Kept(TOGETHER)

    def take(self, number: int, length: int = 1) -> Take:
        """Some consecutive frames.

        Args:
            number: from 0.
            length: of frames at most.
        """
        length = min(length, self.longest)
        turn, slot = divmod(number, TOGETHER)
        life, first = divmod(turn, self._frames - self.longest + 1)
        who = life * TOGETHER + slot
        frames = self.film(who)[first : first + length]
        nothing = frames[:, :0]
        empty = torch.zeros_like(frames[:, :1])
        one = Reference(frames[:1], nothing[:1], empty[:1], torch.cat([empty, empty], dim=1), empty)
        name, middle = f"{self._seed}-{who}", torch.full((length, 2), self._size / 2)
        return Take((one,), nothing, frames, empty, middle, torch.zeros(length, 0), name, name)

    def film(self, who: int) -> torch.Tensor:
        """All frames of a person, from -1 to 1.

        Args:
            who: number of the person, from 0.
        """
        return self._films.get(who, lambda: self._drawn(Dice(self._seed, who, 2)))

    @torch.no_grad()
    def _drawn(self, dice: Dice) -> torch.Tensor:
        person = random_person(self._model, self._size, finest_of(self._size), dice)
        reach = (self._frames - 1) * self._apart + 1
        piece = self._motion.piece(reach, dice).map(lambda values: values[:: self._apart])
        poses, exposure = moved(person, [piece]), random_exposure(dice)
        shots = [photograph(person, poses[k], exposure) for k in range(self._frames)]
        return torch.stack([shot.image for shot in shots]).permute(0, 3, 1, 2) * 2 - 1
