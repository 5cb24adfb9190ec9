"""How mouths of films move: by our own tracker, by optical flow, which knows nothing of faces or
landmarks, and beside the envelope of what is heard.
"""

import cv2
import numpy as np
import torch

from morphface.geometry.camera import to_camera
from morphface.media import read_sound, read_video
from morphface.models import load_model
from morphface.speech import RATE

STEP = 1 / 25
CHIN = [199, 208, 428]
NOSE = [6, 197]
LARGER = 4
WINDOW = 45
"""Pixels of the enlarged film across a patch that is followed."""


def chin_heights(film, commanded):
    """How far the skin of the chin is below that of the nose in each frame: seen, and commanded.

    In pixels of the film, from the first frame on; what both do together is no motion of the jaw.
    """
    model = load_model("open-head")
    face = commanded.parameters
    points = model.landmarks["478"].points(model.vertices(face.identity, face.expression))
    screen = commanded.camera.project(to_camera(points, face.rotation, face.translation))
    with read_video(film) as video:
        frames = [(255 * frame.photo.pixels.numpy()).astype(np.uint8) for frame in video]
    scale = frames[0].shape[1] / commanded.camera.size[1]
    places = scale * screen[..., :2].numpy()
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    large = [cv2.resize(one, None, fx=LARGER, fy=LARGER) for one in grey]
    chosen = [*CHIN, *NOSE]
    start = (LARGER * places[0, chosen]).astype(np.float32)[:, None]
    seen = [start[:, 0]]
    for one in large[1:]:
        there, *_ = cv2.calcOpticalFlowPyrLK(
            large[0], one, start, None, winSize=(WINDOW, WINDOW), maxLevel=3
        )
        seen.append(there[:, 0])
    heights = [_below(np.stack(seen) / LARGER), _below(places[: len(seen)][:, chosen])]
    return [each - each[0] for each in heights]


def _below(places):
    """Of the chin under the nose, in pixels."""
    return places[:, : len(CHIN), 1].mean(1) - places[:, len(CHIN) :, 1].mean(1)


def lip_gaps(model, face):
    """The widest of three heights between inner lip landmarks about the middle, in mm."""
    points = model.landmarks["478"].points(model.vertices(face.identity, face.expression))
    pairs = ((13, 14), (82, 87), (312, 317))
    return torch.stack([points[:, up, 1] - points[:, low, 1] for up, low in pairs]).amax(dim=0)


def with_envelope(face, film):
    """Best correlation of the lips with the sound's envelope (RMS of a frame), and its lag."""
    sound = read_sound(film)
    frame = round(RATE * STEP)
    loud = sound[: len(sound) // frame * frame].reshape(-1, frame).square().mean(dim=1).sqrt()
    loud = torch.nn.functional.avg_pool1d(loud[None], 3, 1, 1)[0]
    gaps = lip_gaps(load_model("open-head"), face)
    found = {lag: correlation(gaps, loud, lag) for lag in range(-4, 5)}
    best = max(found, key=found.get)
    return {"correlation": round(found[best], 3), "lag_frames": best}


def tracked(film):
    """What our own tracker sees in a film."""
    from morphface.fit.video import TrackCollector, fit_video
    from morphface.media import read_video
    from morphface.models import load_model

    collector = TrackCollector()
    with read_video(film) as video:
        for frame in fit_video(video, load_model("open-head"), key_frames=video.spread(16)):
            collector.add(frame)
    return collector.track()


def agreement(seen, commanded):
    """Best correlation of lips and jaw within four frames, and where it is.

    Lips and chin are in millimetres on the head: what is seen of a mouth. The weight of `jawOpen`
    is beside them: a tracker may see the same mouth as another mixture of it and of parted lips.
    """
    model, out = load_model("open-head"), {}
    jaw = model.expression.names.index("jawOpen")
    curves = {
        "lips_mm": [lip_gaps(model, face) for face in (seen, commanded)],
        "chin_mm": [chin_drop(model, face) for face in (seen, commanded)],
        "jaw_weight": [face.expression[:, jaw] for face in (seen, commanded)],
    }
    for name, (here, there) in curves.items():
        found = {lag: correlation(here, there, lag) for lag in range(-4, 5)}
        best = max(found, key=found.get)
        out |= {
            f"{name}_correlation": round(found[best], 3),
            f"{name}_lag_frames": best,
            f"{name}_correlation_without_lag": round(found[0], 3),
        }
    return out


def chin_drop(model, face):
    """How far the chin is below the bridge of the nose on the head, in mm: the jaw as seen."""
    points = model.landmarks["478"].points(model.vertices(face.identity, face.expression))
    return points[:, 168, 1] - points[:, 152, 1]


def correlation(here, there, lag):
    """Of two curves, one of them so many frames later."""
    count = min(len(here), len(there)) - abs(lag)
    pair = torch.stack([here[max(0, lag) :][:count], there[max(0, -lag) :][:count]])
    return float(torch.corrcoef(pair.double())[0, 1])
