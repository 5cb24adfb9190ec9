"""What a dataset is made with: all that its content depends on besides the clips."""

import hashlib
import json
import re
import zlib
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from morphface.core.errors import ParameterError
from morphface.fit.verdict import check_frame_kinds
from morphface.fit.video.settings import PEOPLE
from morphface.media.shards import file_sha256
from morphface.parameters.io import library_versions
from morphface.parameters.upgrade import REVISION, revision_of
from morphface.pipelines.wishes import STAGES
from morphface.render.maps import DVP
from morphface.render.maps.names import check_names

__all__ = ["MATTE", "PrepareSettings", "ShardSize", "differences", "versions"]

_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
MATTE = "matte.png"
"""The part that says where the person is."""
_SIDES = (32, 2048)
_EVERY = (1, 100_000)


@dataclass(frozen=True)
class ShardSize:
    """When a shard is full.

    Args:
        samples: after so many samples; None does not count them.
        bytes: after so many bytes; None does not count them.
    """

    samples: int | None = None
    bytes: int | None = None

    @classmethod
    def parse(cls, text: str) -> "ShardSize":
        """What a person types: "5000" are samples, "512MB" or "1GiB" are bytes.

        Raises:
            ParameterError: it is neither, or less than one sample.
        """
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.lower())
        number, unit = (float(found[1]), found[2]) if found else (0.0, "")
        if unit in _UNITS and number > 0:
            return cls(bytes=round(number * _UNITS[unit]))
        if unit in ("", "samples") and number >= 1 and number.is_integer():
            return cls(samples=int(number))
        raise ParameterError(
            f"the shard size must be a number of samples, as 5000, or of bytes, as 512MB or 1GiB, "
            f"got {text!r}"
        )

    def holds(self, samples: int, size: int) -> bool:
        """Whether a shard may have so many samples in so many bytes."""
        return samples <= (self.samples or samples) and size <= (self.bytes or size)


@dataclass(frozen=True)
class PrepareSettings:
    """How clips become samples.

    Args:
        maps: rendered for each frame; names of `render.maps.MAP_NAMES`.
        size: side of crops and maps in pixels.
        every: looks at one frame in so many.
        stage: "linear" tracks with landmarks alone, "pixels" goes on.
        model: name or path of a morphable model.
        people: how many people of a clip at most, the one seen longest first.
        shard_size: when a shard is full, see `ShardSize.parse`.
        strict: names of warnings, see `fit.verdict.FRAME_WARNINGS`, whose frames are left out, or
            "all".
        corpus: whether clips of many people become a corpus for one-shot generators: with
            mattes and candidates for photos, without clips that do not serve (`corpus.py`).

    Raises:
        ParameterError: a value is not one of these.
    """

    maps: tuple[str, ...] = DVP
    size: int = 256
    every: int = 1
    stage: str = "pixels"
    model: str = "open-head"
    people: int = 1
    shard_size: str = "512MB"
    strict: tuple[str, ...] = ()
    corpus: bool = False

    def __post_init__(self) -> None:
        ShardSize.parse(self.shard_size)
        _check_whole("size", self.size, *_SIDES)
        _check_whole("every", self.every, *_EVERY)
        _check_whole("people", self.people, *PEOPLE)
        check_frame_kinds(self.strict)
        if self.stage not in STAGES:
            raise ParameterError(f"stage must be one of {', '.join(STAGES)}, got {self.stage!r}")
        check_names(self.maps)

    @property
    def extensions(self) -> tuple[str, ...]:
        """The parts of each sample, in order."""
        matte = (MATTE,) if self.corpus else ()
        return ("frame.png", "params.npy", *(f"{name}.png" for name in self.maps), *matte, "json")

    @property
    def digest(self) -> str:
        """Differs where settings or versions do."""
        plain = {name: value for name, value in asdict(self).items() if name != "corpus" or value}
        content = json.dumps([plain, versions(self.model)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def _check_whole(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ParameterError(f"{name} must be a whole number from {least} to {most}, got {value}")


@cache
def versions(model: str) -> dict[str, str]:
    """Versions of all that the bytes of a dataset depend on.

    Args:
        model: name or path of the morphable model; the content of a file counts, too, and the
            revision of a built-in one.
    """
    found = library_versions()
    found |= {name: version(name) for name in ("av", "numba", "pillow", "scipy")}
    found["zlib"] = zlib.ZLIB_RUNTIME_VERSION
    if revision_of(model) is not None:
        found[REVISION] = str(revision_of(model))
    return found | ({"model": file_sha256(model)} if Path(model).is_file() else {})


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """How two sets of settings or versions differ, in words.

    Args:
        before: by name.
        now: by name.
    """
    names = sorted(before.keys() | now.keys())
    return [
        f"{name} was {_words(before.get(name))} and now is {_words(now.get(name))}"
        for name in names
        if (before.get(name) or None) != (now.get(name) or None)
    ]


def _words(value: Any) -> str:
    if value is None:
        return "not there"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
