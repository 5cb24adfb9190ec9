"""What a generated crop is pasted into: the target's own frames, a still one, or nothing."""

from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import MissingFileError, ParameterError
from morphface.core.ramps import smoothstep
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.media.shards.durable import file_sha256
from morphface.media.video import Frame, read_video
from morphface.parameters import Track
from morphface.pipelines.reenact.target import Target, find_clip, nearby

__all__ = ["ClipFrames", "clip_of", "pasted", "there_and_back"]

_BYTES = 1 << 26
"""Of the frames that are held at once while a clip is read backwards."""
_FEATHER = 0.12
"""Share of the crop's side over which it fades into the frame."""


def there_and_back(positions: Int[Tensor, " T"], count: int) -> Int[Tensor, " T"]:
    """Positions beyond the ends of a sequence, played forwards and backwards in turn.

    Args:
        positions: from 0 up.
        count: length of the sequence.
    """
    period = max(2 * (count - 1), 1)
    folded = positions % period
    return torch.minimum(folded, period - folded) if count > 1 else torch.zeros_like(positions)


def clip_of(run: Path, target: Target, given: str | Path | None) -> Path | None:
    """The clip that a run was trained on, if it is at hand.

    Args:
        run: its folder, in which the clip may lie.
        target: says which clip.
        given: where the user says that it is.

    Raises:
        MissingFileError: there is no file where the user says.
        ParameterError: that file is another one.
    """
    clip = target.clip
    if given is None:
        places = [clip["path"] or run, run, *nearby(Path.cwd())]
        return find_clip(clip["name"], clip["sha256"], places)
    path = Path(given)
    if not path.is_file():
        raise MissingFileError(f"there is no clip of the target at {path}")
    if file_sha256(path) != clip["sha256"]:
        raise ParameterError(
            f"{path} is not the clip that the run was trained on, {clip['name']}; its frames "
            "would not fit"
        )
    return path


class ClipFrames:
    """Frames of a clip by their row in its track, in any order; few are held at once.

    Args:
        path: of the clip.
        track: says which frame of the clip each row is.
    """

    def __init__(self, path: Path, track: Track) -> None:
        self.path = path
        with read_video(path) as video:
            self.size = video.size
        self._rows = track.indices.tolist()
        self._times = track.times.tolist()
        self._length = max(2, min(64, _BYTES // (3 * self.size[0] * self.size[1])))
        self._running: Iterator[Frame] = iter(())
        self._chunk, self._held = -1, {-1: Photo(torch.zeros(1, 1, 3))}

    def __getitem__(self, row: int) -> Float[Tensor, "H W 3"]:
        """The picture of a row.

        Raises:
            ParameterError: the clip ends before it.
        """
        chunk = row // self._length
        if chunk != self._chunk:
            self._load(chunk)
        index = self._rows[row]
        if index not in self._held:
            raise ParameterError(f"{self.path} has no frame {index}; get an intact copy")
        return self._held[index].pixels.clone()

    def _load(self, chunk: int) -> None:
        """Decode the frames of a chunk; after the one before, the file is read on."""
        first = chunk * self._length
        wanted = self._rows[first : first + self._length]
        if chunk != self._chunk + 1 or chunk == 0:
            early = max(self._times[first] - 1e-3, 0.0)
            self._running = iter(read_video(self.path, start=early))
        self._chunk, self._held = chunk, {}
        for frame in self._running:
            if frame.index in wanted:
                self._held[frame.index] = Photo(frame.photo.to_uint8())
            if frame.index >= wanted[-1]:
                return


def pasted(
    frame: Float[Tensor, "H W 3"], crop: Crop, made: Float[Tensor, "S S 3"]
) -> Float[Tensor, "H W 3"]:
    """A frame with its square replaced, without a visible edge.

    Args:
        frame: of the target.
        crop: where the square is.
        made: the new square.
    """
    return crop.paste(frame, made, _feather(crop.size))


def _feather(size: int) -> Float[Tensor, "S S"]:
    """1 within, fading to 0 at the edges."""
    edge = (torch.arange(size) + 0.5) / size
    share = smoothstep(torch.minimum(edge, 1 - edge), 0.0, _FEATHER)
    return share[:, None] * share
