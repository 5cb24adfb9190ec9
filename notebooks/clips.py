"""Short clips for the notebooks: one photo, made to move.

No video of a person is small and free enough to come with morphface, so that the notebooks make
their own. That has an advantage: what really happened in such a clip is known, to the last number.
"""

import math
import os

import torch

import morphface
from morphface.edit import edit
from morphface.media.crop import Crop
from morphface.media.video import VideoWriter
from morphface.parameters import TRACKED, Track
from morphface.rerender import Rerenderer

SMALL = os.environ.get("MORPHFACE_NOTEBOOKS") == "small"
"""Whether the notebooks run as tests, which take fewer and smaller frames."""
RATE = 25.0


def performance(face, frames, seed=0):
    """Parameters of a person who looks around, speaks, smiles and blinks.

    Args:
        face: the parameters to start from, one frame.
        frames: how many.
        seed: another number is another performance.
    """
    time = torch.arange(frames) / RATE
    phase = 2.4 * seed

    def wave(hertz, low, high, shift=0.0):
        swing = torch.sin(2 * math.pi * hertz * time + phase + shift)
        return low + (high - low) * (swing + 1) / 2

    speech = wave(2.1, 0.0, 0.35) * wave(0.6, 0.0, 1.0, shift=1.0)
    smile = wave(0.5, 0.0, 0.7, shift=2.0)
    blink = torch.exp(-((((time - 0.8 - 0.2 * seed) % 1.6 - 0.4) / 0.06) ** 2))
    weights = {"jawOpen": speech, "browInnerUp": wave(0.4, 0.0, 0.6, shift=4.0)}
    for side in ("Left", "Right"):
        weights |= {f"mouthSmile{side}": smile, f"eyeBlink{side}": blink}
    yaw, pitch, roll = wave(0.45, -18, 18), wave(0.7, -6, 6, shift=1.5), wave(0.35, -4, 4)
    gaze = torch.stack([-yaw / 3, torch.zeros_like(yaw)], dim=-1)
    talking = edit(face, expression=weights, gaze=gaze)
    return edit(talking, yaw=yaw, pitch=pitch, roll=roll, additive=True)


def make_clip(path, photo="sample:astronaut", *, frames=48, size=256, share=0.45, seed=0):
    """Write a clip of a photo that moves, and return what was drawn, as a `Track`.

    Args:
        path: of the video to write.
        photo: path of a picture, or `sample:astronaut`.
        frames: how many; a quarter of them for tests.
        size: height and width; five eighths of it for tests.
        share: of that, which the face fills.
        seed: another number is another performance.
    """
    frames, size = (frames // 4, size * 5 // 8) if SMALL else (frames, size)
    fitted = morphface.fit_photo(photo, stage="linear" if SMALL else "pixels")
    face = fitted.faces[0]
    draw = Rerenderer(face, fitted.photo, quick=SMALL)
    crop = Crop.around(face.fit.landmarks.box, size, share=share)
    moved = performance(face.parameters, frames, seed)
    with VideoWriter(path, (size, size), RATE) as video:
        for frame in range(frames):
            video.write(crop.apply(draw(moved[frame])))
    numbers = torch.arange(frames)
    return Track(
        moved,
        crop.camera(face.camera),
        states=torch.full_like(numbers, TRACKED),
        times=numbers.double() / RATE,
        indices=numbers,
        landmark_nme=torch.zeros(frames),
        boxes=torch.full((frames, 4), torch.nan),
    )
