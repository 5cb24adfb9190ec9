"""What does a training dataset cost, and does it feed a GPU?

    python -m benchmarks.bench_prepare

- `throughput`: wall time of `morphface prepare` over eight short clips with one and with two
  processes, and with two cores of a local Ray cluster, from the first frame that is told to the
  last clip, and with all that starts before. The ratio is what a second core brings.
- `cost`: seconds for a frame of one clip, by stage: tracking alone, and all; bytes a frame.
- `memory`: the most memory of the process that prepares a clip, and one seven times as long.
- `windows`: windows a second of `ConditioningWindows` at 256 pixels with two workers, shuffled,
  beside a reader that decodes the eleven frames of every window anew; as bytes, which a GPU makes
  values of, and as values, where moving 27 MB a window between processes takes longer than all.
"""

import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.clips import FOLDER, HEAD, cut, cut_many
from benchmarks.common import report, seed
from morphface.fit.video import VideoSettings, fit_video
from morphface.generate.windows import ConditioningWindows, WindowOrder
from morphface.media.shards import open_shards
from morphface.media.video import read_video
from morphface.models import load_model
from morphface.pipelines.prepare import PrepareSettings
from morphface.pipelines.prepare.sources import list_clips
from morphface.pipelines.prepare.work import work_on_clip

CLIPS, FRAMES, LONG = 8, 24, 100
BATCH, WORKERS, STRETCH = 8, 2, 64
PLACES: dict[str, dict[str, Any]] = {
    "pool_1": {"workers": 1},
    "pool_2": {"workers": 2},
    "ray_2": {"workers": 2, "ray": "local"},
}
SCRIPT = """
import json, sys, time
from morphface.pipelines.prepare import PrepareSettings, prepare
if __name__ == "__main__":
    first = []
    def told(state):
        if state.samples and not first:
            first.append((time.perf_counter(), state.samples))
    settings = PrepareSettings(stage="linear")
    made = prepare(sys.argv[1:2], sys.argv[2], settings, progress=told, **json.loads(sys.argv[3]))
    samples = made.manifest["samples"]
    print(json.dumps([samples - first[0][1], time.perf_counter() - first[0][0], samples]))
"""
PEAK = """
import json, resource, sys
from morphface.pipelines.prepare import PrepareSettings, prepare
if __name__ == "__main__":
    made = prepare(sys.argv[1:2], sys.argv[2], PrepareSettings(stage="linear"), workers=1)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps([made.manifest["samples"], peak]))
"""


class NaiveWindows(Dataset[dict[str, torch.Tensor]]):
    """Windows whose frames are all decoded for each of them."""

    def __init__(self, folder: Path, raw: bool) -> None:
        self.shards, self.raw = open_shards(folder), raw

    def __len__(self) -> int:
        return len(self.shards)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        maps = self.shards.manifest["windows"]["maps"]
        rows = [max(0, index + offset) for offset in range(-10, 1)]
        images = [self.decoded(row, name) for row in rows for name in maps]
        return {"window": torch.cat(images), "frame": self.decoded(index, "frame")}

    def decoded(self, sample: int, name: str) -> torch.Tensor:
        """One picture, as bytes or from -1 to 1."""
        with Image.open(io.BytesIO(self.shards.read(sample, f"{name}.png"))) as image:
            values = torch.from_numpy(np.array(image).transpose(2, 0, 1).copy())
        return values if self.raw else values / 127.5 - 1


def throughput(clips: Path, folder: Path) -> list[dict[str, Any]]:
    """Frames a second of each place, each in a process of its own."""
    cases = []
    for name, options in PLACES.items():
        began = time.perf_counter()
        command = [sys.executable, "-c", SCRIPT, str(clips), str(folder / name)]
        done = subprocess.run(
            [*command, json.dumps(options)], check=True, stdout=subprocess.PIPE, text=True
        )
        samples, seconds, every = json.loads(done.stdout.splitlines()[-1])
        whole = time.perf_counter() - began
        cases.append(
            {
                "case": "throughput",
                "place": name,
                "frames_per_second": round(samples / seconds, 2),
                "with_start": round(every / whole, 2),
                "seconds": round(whole, 1),
            }
        )
    base = cases[0]
    for case in cases:
        for key in ("frames_per_second", "with_start"):
            case[f"ratio_{key}"] = round(case[key] / base[key], 2)
    return cases


def cost(folder: Path) -> list[dict[str, Any]]:
    """Seconds and bytes for a frame of one clip, by stage, on one thread."""
    clip, model = folder / "long.mp4", load_model("open-head")
    cut(FOLDER / HEAD, clip, 0, LONG)
    known = list_clips([clip], folder / "out")[0]
    cases = []
    for stage in ("linear", "pixels"):
        began = time.perf_counter()
        with read_video(clip) as video:
            keys = video.spread(32)
            for _ in fit_video(video, model, key_frames=keys, settings=VideoSettings(stage=stage)):
                pass
        tracking = time.perf_counter() - began
        began, size = time.perf_counter(), 0
        for sequence in work_on_clip(known, PrepareSettings(stage=stage), print):
            size += sum(len(part) for s in sequence.samples for part in s.parts.values())
        whole = time.perf_counter() - began
        cases.append(
            {
                "case": "cost",
                "stage": stage,
                "frames": LONG,
                "tracking_ms_per_frame": round(1e3 * tracking / LONG, 1),
                "all_ms_per_frame": round(1e3 * whole / LONG, 1),
                "kilobytes_per_frame": round(size / LONG / 1e3, 1),
            }
        )
    return cases


def memory(folder: Path) -> list[dict[str, Any]]:
    """Peak memory of preparing a clip, and one seven times as long."""
    cases = []
    for name, path in (("short", folder / "long.mp4"), ("long", FOLDER / HEAD)):
        command = [sys.executable, "-c", PEAK, str(path), str(folder / f"memory_{name}")]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        samples, peak = json.loads(done.stdout.splitlines()[-1])
        cases.append({"case": "memory", "frames": samples, "peak_mebibytes": round(peak)})
    ratio = cases[1]["peak_mebibytes"] / cases[0]["peak_mebibytes"]
    return [case | {"ratio": round(ratio, 3)} for case in cases]


def windows(folder: Path) -> list[dict[str, Any]]:
    """Windows a second of each reader."""
    cases = []
    for kind, raw in (("bytes", True), ("values", False)):
        ours = ConditioningWindows(folder, memory=1 << 28, raw=raw)
        plain = NaiveWindows(folder, raw)
        readers = {
            "ours": _ordered(ours),
            "naive": DataLoader(plain, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True),
        }
        turns = [{name: _rate(loader) for name, loader in readers.items()} for _ in range(3)]
        rates = {name: max(turn[name] for turn in turns) for name in readers}
        case = {f"{name}_per_second": round(rate, 1) for name, rate in rates.items()}
        ratio = round(rates["ours"] / rates["naive"], 2)
        cases.append({"case": "windows", "kind": kind, **case, "ratio": ratio})
    return cases


def _ordered(data: ConditioningWindows) -> DataLoader[Any]:
    order = WindowOrder(data, BATCH, workers=WORKERS, stretch=STRETCH)
    return DataLoader(data, batch_sampler=order, num_workers=WORKERS)


def _rate(loader: DataLoader[Any]) -> float:
    """Windows a second after the first batch."""
    count, began = 0, 0.0
    for batch in loader:
        count += len(batch["window"]) if began else 0
        began = began or time.perf_counter()
    return count / (time.perf_counter() - began)


def main() -> None:
    """Measure and report."""
    seed()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = cut_many(folder / "clips", CLIPS, FRAMES)
        cases = throughput(clips, folder)
        cases += windows(folder / "pool_2")
        cases += cost(folder)
        cases += memory(folder)
    report("prepare", cases)
    print("targets: two processes near twice one; windows several times naive; memory within 1.15")


if __name__ == "__main__":
    main()
