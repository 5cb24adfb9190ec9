"""When is each frame shown? Read from the packets, without decoding them."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import islice

from morphface.media.video.source import Source

__all__ = ["Timeline"]


@dataclass(frozen=True)
class Timeline:
    """The times of all frames of a video, in units of its stream's time base.

    Args:
        shown: when each frame is shown, ascending.
        keys: when the key frames are shown, ascending: decoding can begin there.
        seeks: where to seek for each of them.
    """

    shown: tuple[int, ...]
    keys: tuple[int, ...]
    seeks: tuple[int, ...]

    @classmethod
    def read(cls, source: Source, most: int | None = None) -> "Timeline | None":
        """That of a freshly opened `source`; None where packets have no times.

        Args:
            source: of the video.
            most: packets that are looked at; None looks at all.
        """
        shown, keys = [], []
        for packet in islice(source.packets(), most):
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None:
                return None
            shown.append(packet.pts)
            if packet.is_keyframe:
                decoded = packet.pts if packet.dts is None else packet.dts
                keys.append((packet.pts, min(packet.pts, decoded)))
        keys.sort()
        if not keys:
            return None
        starts, seeks = zip(*keys, strict=True)
        return cls(tuple(sorted(shown)), starts, seeks)

    def index(self, timestamp: int) -> int:
        """The number in the file of the frame shown at `timestamp`."""
        return bisect_left(self.shown, timestamp)

    def key_before(self, timestamp: int) -> int:
        """When the key frame is shown that decoding of `timestamp` needs."""
        return self.keys[max(0, bisect_right(self.keys, timestamp) - 1)]

    def seek_for(self, timestamp: int) -> int | None:
        """Where to seek so that decoding reaches `timestamp`; None: at the beginning."""
        before = bisect_right(self.keys, timestamp) - 1
        return self.seeks[before] if before > 0 else None
