"""`manifest.json`: all that a reader of a dataset must know, and what became of each clip.

It depends on the clips, the settings and the versions, and on nothing else: no dates, no paths of
this machine, nothing of how long it took or how often it was interrupted.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from morphface.media.shards.folder import FORMAT, VERSION, manifest_sha256
from morphface.parameters.io import CONVENTIONS
from morphface.pipelines.prepare.settings import MATTE, PrepareSettings, versions
from morphface.pipelines.prepare.sources import Clip
from morphface.pipelines.prepare.statistics import summed
from morphface.pipelines.prepare.unit import Outcome
from morphface.render.maps import CHANNELS

__all__ = ["WINDOW", "make_manifest", "outcome_of"]

WINDOW = tuple(range(-10, 1))
"""Which frames a generator sees at once, relative to the one it makes (Deep Video Portraits)."""

_MAP = "as render.maps.files writes it: 0 to 1 as 0 to 255, or to 65535 for depth"
_VECTOR = ("rotation", "translation", "identity", "reflectance", "expression", "gaze", "light")


def make_manifest(
    settings: PrepareSettings,
    clips: Sequence[Clip],
    outcomes: Sequence[Outcome],
    shards: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """The manifest of a finished dataset.

    Args:
        settings: it was made with.
        clips: in order.
        outcomes: of each clip.
        shards: entries of `pack_shard`, in order.
    """
    records = [
        {"source": clip.record()} | outcome.record()
        for clip, outcome in zip(clips, outcomes, strict=True)
    ]
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "settings": asdict(settings),
        "versions": versions(settings.model),
        "conventions": CONVENTIONS,
        "samples": sum(shard["samples"] for shard in shards),
        "bytes": sum(shard["bytes"] for shard in shards),
        "parts": _parts(settings),
        "windows": _windows(settings),
        "statistics": summed(outcomes),
        "shards": list(shards),
        "clips": records,
    }
    return manifest | {"sha256": manifest_sha256(manifest)}


def outcome_of(record: dict[str, Any]) -> Outcome:
    """The outcome of a clip that a manifest lists.

    Args:
        record: one of the manifest's clips.
    """
    return Outcome(**{name: value for name, value in record.items() if name != "source"})


def _parts(settings: PrepareSettings) -> dict[str, str]:
    return {
        "frame.png": "the crop of the frame, RGB, 0 to 1 as 0 to 255",
        **{f"{name}.png": _MAP for name in settings.maps},
        **({MATTE: "where the person is, 0 to 1 as 0 to 255"} if settings.corpus else {}),
        "params.npy": f"FaceParameters.to_vector: {', '.join(_VECTOR)}; for the crop's camera",
        "json": "where the frame comes from, its time, state, crop and camera",
    }


def _windows(settings: PrepareSettings) -> dict[str, Any]:
    channels = {name: CHANNELS[name] for name in settings.maps}
    return {
        "offsets": list(WINDOW),
        "padding": "replicate",
        "maps": list(settings.maps),
        "channels": channels,
        "window_channels": sum(channels.values()) * len(WINDOW),
        "order": "frame-major, the oldest frame first; within a frame the maps in order",
        "range": [-1, 1],
    }
