"""How fast, how steady and how true is tracking, and does it fit into memory?

    python -m benchmarks.bench_track [--memory | --speed] [--clip PATH]

- `speed`: a clip of a webcam (765 frames, 400 x 300), all in: decoding, detection, key frames and
  each frame's fit, for both stages. Detection runs beside the fit, so that what limits is the
  larger of the two threads; `cpu_fps` is frames a second of two cores that are kept busy, which a
  busy machine does not change, `fps` that of the clock. Targets: 15 and 30. With `--speed` nothing
  else is measured, and what was reported of the rest stays, with the commit it was `measured_at`.
- `rendered`: a clip whose motion is known (`benchmarks/moving.py`): errors by frame, jitter of the
  68 points where the head is still, and lag, of both stages, with the temporal prior, without it,
  and smoothed after it. The peer is the raw detector: that of pictures, and that which follows a
  face, both of MediaPipe. Targets: half the jitter of the detector of pictures, lag of 1 frame.
- `memory` (with `--memory`, minutes): the most memory of a process that tracks 500 and 10,000
  frames, the clip repeated. Target: within 15 %.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import report, reported, seed
from benchmarks.moving import MovingClip, detected68, errors, jitter, lag, moving_clip, points68
from morphface.fit.video import TrackCollector, VideoSettings, fit_video
from morphface.fit.video.smoothing import smooth
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.video import Frame, read_video
from morphface.models import MorphableModel, load_model
from morphface.parameters import LOST, PREDICTED, TRACKED, Track

DATA = Path(
    os.environ.get("MORPHFACE_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)
CLIP = DATA / "clips" / "webcam_head_turns.mp4"
KEYS = 32
WARM = 30  # frames before the clock starts
TARGETS = {"linear": 30.0, "pixels": 15.0}
LENGTHS = (500, 10_000)
MOTION = ("pose_degrees", "expression_mae", "gaze_degrees", "points_px")


class Decoding:
    """Frames of a video, and how long they took."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self.frames, self.seconds = frames, 0.0

    def __iter__(self) -> Iterator[Frame]:
        inner = iter(self.frames)
        while True:
            began = time.perf_counter()
            frame = next(inner, None)
            self.seconds += time.perf_counter() - began
            if frame is None:
                return
            yield frame


def bench_speed(model: MorphableModel, clip: Path, stage: str) -> dict[str, Any]:
    """One run over a clip, and where its time went."""
    wall, cpu = time.perf_counter(), time.process_time()
    collector, spent, first = TrackCollector(), {}, None
    with read_video(clip) as video:
        frames, keys = Decoding(video), video.spread(KEYS)
        spent["spread"] = time.perf_counter() - wall
        for tracked in fit_video(
            frames, model, key_frames=keys, settings=VideoSettings(stage=stage)
        ):
            first = first or time.perf_counter() - wall
            collector.add(tracked)
            for name, value in tracked.seconds.items():
                spent[name] = spent.get(name, 0.0) + value
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    spent |= {"decode": frames.seconds, "key_frames": (first or 0.0) - spent["spread"]}
    track, count = collector.track(0), collector.frames
    return {
        "case": "speed",
        "stage": stage,
        "frames": count,
        "fps": round(count / wall, 1),
        "cpu_fps": round(2 * count / cpu, 1),
        "target_fps": TARGETS[stage],
        "cpu_ms_a_frame": round(1e3 * cpu / count, 1),
        "seconds": {name: round(value, 2) for name, value in sorted(spent.items())},
        "share_of_detection": round(spent["detect"] / (sum(spent.values()) - spent["wait"]), 3),
        "tracked": track.count(TRACKED),
        "predicted": track.count(PREDICTED),
        "lost": track.count(LOST),
        "landmark_nme": round(float(track.landmark_nme.nanmean()), 4),
    }


def bench_detector(clip: Path, *, follow: bool) -> dict[str, Any]:
    """The detector alone, as the peer."""
    with read_video(clip) as video, MediaPipeDetector(follow=follow) as detector:
        frames = list(video)
        detector.detect(frames[0].photo)
        wall, cpu, found = time.perf_counter(), time.process_time(), 0
        for frame in frames:
            found += bool(detector.detect(frame.photo, time=frame.time + 1.0))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "case": "detector",
        "follow": follow,
        "fps": round(len(frames) / wall, 1),
        "cpu_ms_a_frame": round(1e3 * cpu / len(frames), 1),
        "found": found,
    }


def bench_rendered(model: MorphableModel) -> list[dict[str, Any]]:
    """Errors, jitter and lag on the rendered clip."""
    clip = moving_clip(model)
    cases = [_raw(clip, follow=follow) for follow in (False, True)]
    for stage in ("linear", "pixels"):
        for prior in (False, True):
            settings = VideoSettings(stage=stage)
            settings = settings if prior else replace(settings, inertia=None)
            track = _tracked(model, clip, settings)
            name = f"{stage}, {'temporal prior' if prior else 'each frame alone'}"
            cases.append(_judged(clip, track, name, cases[0]["jitter_px"]))
            if prior:
                smoothed = smooth(track, model=model)
                cases.append(
                    _judged(clip, smoothed, f"{stage}, smoothed after it", cases[0]["jitter_px"])
                )
    return cases


def _raw(clip: MovingClip, *, follow: bool) -> dict[str, Any]:
    with MediaPipeDetector(follow=follow) as detector:
        found = [detector.detect(frame.photo, time=frame.time) for frame in clip.video()]
    points = detected68([faces[0] if faces else None for faces in found])
    true = points68(clip.model, clip.parameters, clip.camera)
    return {
        "case": "rendered",
        "what": "detector that follows" if follow else "detector of pictures",
        "jitter_px": round(jitter(points, clip.still), 4),
        "lag_frames": round(lag(points.flatten(1), true.flatten(1)), 2),
    }


def _tracked(model: MorphableModel, clip: MovingClip, settings: VideoSettings) -> Track:
    frames = list(clip.video())
    collector = TrackCollector()
    for tracked in fit_video(frames, model, key_frames=frames[::4], settings=settings):
        collector.add(tracked)
    return collector.track(0)


def _judged(clip: MovingClip, track: Track, name: str, raw: float) -> dict[str, Any]:
    wrong = errors(clip, track.parameters, track.camera)
    points = points68(clip.model, track.parameters, track.camera)
    true = points68(clip.model, clip.parameters, clip.camera)
    steady = jitter(points, clip.still)
    moods = lag(track.parameters.expression, clip.parameters.expression)
    return {
        "case": "rendered",
        "what": name,
        "jitter_px": round(steady, 4),
        "of_the_detectors": round(steady / raw, 3),
        "target_of_the_detectors": 0.5,
        "lag_frames": round(lag(points.flatten(1), true.flatten(1)), 2),
        "lag_of_expression_frames": round(moods, 2),
        "target_lag_frames": 1.0,
        **{name: round(float(wrong[name].mean()), 3) for name in MOTION},
        **{f"{name}_worst": round(float(wrong[name].max()), 3) for name in MOTION},
        "by_frame": {
            name: [round(value, 2) for value in wrong[name].tolist()] for name in MOTION[:3]
        },
        "lost": track.count(LOST),
    }


def bench_memory(clip: Path, lengths: Iterable[int]) -> list[dict[str, Any]]:
    """The most memory of processes that track the clip again and again."""
    cases = []
    for length in lengths:
        command = [sys.executable, "-m", "benchmarks.bench_track", "--long", str(length)]
        done = subprocess.run(
            [*command, "--clip", str(clip)], capture_output=True, text=True, check=True
        )
        cases.append(json.loads(done.stdout.splitlines()[-1]))
    for case in cases:
        case["of_the_shortest"] = round(case["peak_mb"] / cases[0]["peak_mb"], 3)
    return cases


def _long(model: MorphableModel, clip: Path, length: int) -> dict[str, Any]:
    collector, began = TrackCollector(), time.perf_counter()
    with read_video(clip) as video:
        keys = video.spread(KEYS)
    for tracked in fit_video(_repeated(clip, length), model, key_frames=keys):
        collector.add(tracked)
    seconds = time.perf_counter() - began
    peak = next(
        int(line.split()[1]) / 1024
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        if line.startswith("VmHWM")
    )
    return {
        "case": "memory",
        "frames": collector.frames,
        "peak_mb": round(peak, 1),
        "target_of_the_shortest": 1.15,
        "fps": round(collector.frames / seconds, 1),
        "lost": collector.track(0).count(LOST),
    }


def _repeated(clip: Path, length: int) -> Iterator[Frame]:
    count = 0
    while True:
        with read_video(clip) as video:
            for frame in video:
                if count == length:
                    return
                yield Frame(frame.photo, count, count / video.rate)
                count += 1


def _speed(model: MorphableModel, clip: Path) -> list[dict[str, Any]]:
    for stage in ("linear", "pixels"):  # compiles, or reads what was compiled
        with read_video(clip) as video:
            frames = [frame for frame, _ in zip(video, range(WARM), strict=False)]
        settings = VideoSettings(stage=stage)
        for _ in fit_video(frames, model, key_frames=frames, settings=settings):
            pass
    return [bench_speed(model, clip, stage) for stage in ("linear", "pixels")]


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--speed", action="store_true", help="measure that alone")
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--long", type=int, help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    seed()
    model = load_model()
    if wishes.long:
        print(json.dumps(_long(model, wishes.clip, wishes.long)))
        return
    cases = []
    if wishes.speed:
        others = reported("track", lambda case: case["case"] != "speed")
        report("track", _speed(model, wishes.clip) + others)
        return
    if wishes.clip.exists():
        cases += _speed(model, wishes.clip) + [
            bench_detector(wishes.clip, follow=follow) for follow in (False, True)
        ]
    else:
        print(f"no clip at {wishes.clip}: speed is not measured")
    cases += bench_rendered(model)
    if wishes.memory:
        cases += bench_memory(wishes.clip, LENGTHS)
    torch.set_num_threads(1)
    report("track", cases)


if __name__ == "__main__":
    main()
