"""Where made crops are put: into frames of the target, into a still one, or nowhere."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from morphface.pipelines.reenact.backdrop import ClipFrames, clip_of, pasted
from morphface.pipelines.reenact.look import Look, Motion
from morphface.pipelines.reenact.nod import Nod
from morphface.pipelines.reenact.run import Run

__all__ = ["Stage"]


@dataclass(frozen=True, eq=False)
class Stage:
    """What made crops are pasted into.

    Args:
        run: that makes them.
        motion: that they show.
        clip: frames of the target's clip; None if it is not at hand, then one still frame stands
            for them.
        bare: whether crops are written as they are.
        words: which of these, for a report.
    """

    run: Run
    motion: Motion
    clip: ClipFrames | None
    bare: bool
    words: str

    @classmethod
    def of(cls, run: Run, motion: Motion, look: Look) -> "Stage":
        """The best that is at hand."""
        target = run.target
        path = None if run.of_photo else clip_of(run.path, target, look.clip)
        clip = None if path is None else ClipFrames(path, target.track)
        if look.crop_only:
            return cls(run, motion, clip, True, "none: the crop alone, as asked for")
        if run.of_photo:
            return cls(run, motion, None, False, "the photo, bent with the head")
        if clip is not None:
            again = motion.parameters.frames > target.track.frames
            more = ", back and forth since it is shorter" if again else ""
            return cls(run, motion, clip, False, f"the frames of {path}{more}")
        way = f"{target.clip['name']} is not at hand; say where it is with --target"
        if target.whole:
            return cls(run, motion, None, False, f"one still frame: {way}")
        return cls(run, motion, None, True, f"none: the crop alone, since {way}")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of finished frames."""
        if self.bare:
            return (self.run.config.resolution,) * 2
        return self.run.target.picture.size if self.clip is None else self.clip.size

    def finished(self, k: int, made: Float[Tensor, "S S 3"]) -> Float[Tensor, "H W 3"]:
        """The made crop of frame `k` in its place in a frame of the target.

        Args:
            k: number of the frame.
            made: what the network made.
        """
        if self.bare:
            return made
        frame, row = self._behind(k)
        target = self.run.target
        here = target.track.parameters[row]
        nod = Nod.between(self.run.model, here, self.motion.parameters[k], target.track.camera)
        return pasted(nod.bent(frame, target.crop), target.crop, made)

    def square(self, k: int) -> Float[Tensor, "S S 3"]:
        """What the crop shows of the target itself behind frame `k`."""
        target = self.run.target
        if self.clip is not None:
            return target.crop.apply(self.clip[int(self.motion.rows[k])])
        picture = target.picture.pixels
        return target.crop.apply(picture) if target.whole else picture

    def _behind(self, k: int) -> tuple[Float[Tensor, "H W 3"], int]:
        """The target's frame that is behind frame `k`, and its row in the track."""
        if self.clip is not None:
            row = int(self.motion.rows[k])
            return self.clip[row], row
        return self.run.target.picture.pixels, 0
