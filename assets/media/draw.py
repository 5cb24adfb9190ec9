"""Draws `edits.jpg` and `track.jpg` of the README; `python assets/media/draw.py` takes minutes."""

import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

import morphface
from morphface.edit import edit
from morphface.media.crop import Crop
from morphface.media.video import read_video
from morphface.parameters import load_track
from morphface.pipelines import track_video
from morphface.rerender import Rerenderer
from morphface.show import filmstrip, plot_expressions

HERE = Path(__file__).parent
EDITS = {
    "photo": {},
    "surprise": {"preset": "surprise"},
    "angry": {"preset": "angry"},
    "jawOpen 0.7": {"expression": {"jawOpen": 0.7}},
    "gaze 25, 0": {"gaze": (25, 0)},
    "yaw -25": {"yaw": -25},
}
CURVES = ["jawOpen", "mouthSmileLeft", "browInnerUp", "eyeBlinkLeft"]


def edits(place: Path) -> None:
    """One photo, and what a line of code each makes of it."""
    result = morphface.fit_photo("sample:astronaut")
    face = result.faces[0]
    draw, crop = Rerenderer(face, result.photo), Crop.around(face.fit.landmarks.box, 256, share=0.5)
    pictures = {
        words: crop.apply(draw(edit(face.parameters, **changes)))
        for words, changes in EDITS.items()
    }
    figure = filmstrip(pictures, size=200)
    figure.savefig(place, dpi=100, pil_kwargs={"quality": 85})


def track(place: Path) -> None:
    """Frames of a clip, and four of the curves that tracking found in them."""
    sys.path.insert(0, str(HERE.parents[1] / "notebooks"))
    from clips import make_clip

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_clip(folder / "talk.mp4", frames=60)
        track_video(folder / "talk.mp4", folder / "track", overlay=False)
        found, _ = load_track(folder / "track" / "track.npz")
        figure = Figure(figsize=(11, 4), layout="constrained")
        above, below = figure.subplots(2, 1)
        with read_video(folder / "talk.mp4") as clip:
            filmstrip(clip, count=8, size=190, axes=above)
        plot_expressions(found, CURVES, axes=below)
    figure.savefig(place, dpi=100, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    edits(HERE / "edits.jpg")
    track(HERE / "track.jpg")
