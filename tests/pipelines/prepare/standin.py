"""A quick worker for tests: "clips" are text files that say what becomes of them.

Words of a clip: `frames=12` (how many samples), `lost=5` (a frame that is not there), `wait=0.1`
(seconds a frame), `bad`, `noface`, `die` (its process ends), `die=once`, `mistake`, `cut`.
"""

import hashlib
import io
import os
import signal
import time
from pathlib import Path

import numpy as np
from PIL import Image

from morphface.core.errors import OutputError, VideoError
from morphface.pipelines.prepare.unit import Sample, Sequence

NEUTRAL = {
    "frames": {"tracked": 0, "predicted": 0, "lost": 0},
    "quality": [2, 0.65, 0.4, 0.9],
    "pose": {"yaw": [1, 10.0, -5.0, 20.0]},
    "expression": {"jawOpen": [1, 0.5, 0.0, 1.0]},
}


def words_of(clip):
    words = Path(clip.path).read_text().split()
    return dict(word.partition("=")[::2] for word in words)


def work(clip, settings, warn):
    words = words_of(clip)
    if "bad" in words:
        raise VideoError(f"{clip.path} is not a video; name a video")
    if "mistake" in words:
        raise ZeroDivisionError("oh")
    if "full" in words:
        raise OutputError("cannot write to x: the disk is full; choose another place")
    if "cut" in words:
        warn("it is cut off")
    if "die" in words:
        mark = Path(clip.path).with_suffix(".died")
        if words["die"] != "once" or not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    facts = {"statistics": NEUTRAL | {"frames": {"tracked": 1, "predicted": 0, "lost": 0}}}
    for _ in range(0 if "noface" in words else int(words.get("people", 1))):
        yield Sequence(samples(clip, settings, words), facts)


def samples(clip, settings, words):
    lost = {int(word) for word in words.get("lost", "").split(",") if word}
    for frame in range(0, int(words.get("frames", 6)) * settings.every, settings.every):
        time.sleep(float(words.get("wait", 0)))
        if frame not in lost:
            warned = {"turned": 50.0} if frame % 3 == 0 else {}
            quality = None if "unrated" in words else float(words.get("quality", 0.6))
            facts = {"state": "tracked", "quality": quality, "warnings": warned}
            yield Sample(frame, parts(clip, settings, frame), facts)


def parts(clip, settings, frame):
    found = {"params.npy": npy(np.full(5, frame, dtype=np.float32))}
    for name in ("frame", *settings.maps):
        found[f"{name}.png"] = png(picture(clip.name, name, frame))
    return found


def picture(clip, name, frame):
    """A small picture that is unlike any other's."""
    seed = int(hashlib.sha256(f"{clip} {name} {frame}".encode()).hexdigest()[:8], 16)
    values = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    values[0, 0] = frame % 256
    return values


def png(values):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG", compress_level=1)
    return file.getvalue()


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()
