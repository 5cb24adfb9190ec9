"""What edits make of the eyes and mouths of photos, as sheets of crops to look at.

    python -m benchmarks.edit_sheets PICTURE... -o FOLDER [--kinds eyes mouth presets]

For each picture and kind one PNG: the photo, the fit, then one crop for each edit of `ROWS`.
Nothing is measured: whether a person would keep the picture is for an eye to say.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from morphface.edit import edit
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.landmarks.tables import LEFT_EYE, RIGHT_EYE
from morphface.pipelines.photo import fit_photo
from morphface.render import Renderer
from morphface.rerender import Rerenderer

EYES = [k for ring in (LEFT_EYE, RIGHT_EYE) for k in ring]
MOUTH = [61, 291, 0, 17, 13, 14]
"""Corners and middle of the lips among the 478 landmarks."""


def _blink(weight: float, *sides: str) -> dict[str, Any]:
    return {"expression": {f"eyeBlink{side}": weight for side in sides}}


def _both(name: str, weight: float) -> dict[str, Any]:
    return {"expression": {f"{name}{side}": weight for side in ("Left", "Right")}}


ROWS: dict[str, dict[str, dict[str, Any]]] = {
    "eyes": {
        "blink 0.25": _blink(0.25, "Left", "Right"),
        "blink 0.5": _blink(0.5, "Left", "Right"),
        "blink 1": _blink(1.0, "Left", "Right"),
        "wink": _blink(1.0, "Left"),
        "gaze 15 left": {"gaze": (15, 0)},
        "gaze 15 right": {"gaze": (-15, 0)},
        "gaze 15 up": {"gaze": (0, 15)},
        "wide": _both("eyeWide", 1.0),
        "squint": _both("eyeSquint", 1.0),
    },
    "mouth": {
        "jawOpen 0.2": {"expression": {"jawOpen": 0.2}},
        "jawOpen 0.4": {"expression": {"jawOpen": 0.4}},
        "jawOpen 0.7": {"expression": {"jawOpen": 0.7}},
        "smile": {"preset": "smile"},
        "pucker": {"expression": {"mouthPucker": 0.8}},
        "sad": {"preset": "sad"},
    },
    "presets": {
        name: {"preset": name} for name in ("sad", "angry", "disgust", "smile", "surprise")
    },
}
SPAN = {
    "eyes": (EYES, 1.35, 0.5, 2),
    "mouth": (MOUTH, 2.0, 1.9, 3),
    "presets": (None, 1.25, 1.6, 3),
}
"""Landmarks in a crop, its width in theirs, its height in its width, and columns of the sheet."""
WIDE = {"eyes": 560, "mouth": 420, "presets": 420}
"""Pixels along a crop."""


def crop(pixels: Tensor, face: FittedFace, kind: str) -> Image.Image:
    """The part of a picture that a sheet shows."""
    chosen, wide, high, _ = SPAN[kind]
    points = face.fit.landmarks.points if chosen is None else face.fit.landmarks.points[chosen]
    low, end = points.amin(0), points.amax(0)
    middle, half = (low + end) / 2, float(end[0] - low[0]) * wide / 2
    x, y = middle.tolist()
    if kind == "mouth":
        y += 0.2 * half
    tall = half * (high if kind != "mouth" else high / 2)
    box = tuple(round(v) for v in (x - half, y - tall, x + half, y + tall))
    picture = Image.fromarray((pixels.clamp(0, 1) * 255).round().byte().numpy())
    size = WIDE[kind], round(WIDE[kind] * tall / half)
    return picture.crop(box).resize(size, Image.Resampling.LANCZOS)


def fitted(found: FittedPhoto) -> Tensor:
    """The photo with the fitted model, in its modelled colours, over the largest face."""
    face = found.faces[0]
    drawn = Renderer.of(face.model, face.camera)(
        face.vertices_in_camera()[None],
        colours=face.fine_albedo(),
        illumination=face.parameters.illumination,
    )
    return drawn.over(found.photo.pixels)[0]


def sheet(found: FittedPhoto, kind: str) -> Image.Image:
    """All edits of a kind, of the largest face."""
    face = found.faces[0]
    stage = Rerenderer(face, found.photo)
    tiles = {"photo": crop(found.photo.pixels, face, kind), "fit": crop(fitted(found), face, kind)}
    for name, changes in ROWS[kind].items():
        wanted = edit(face.parameters, model=face.model, **changes)
        tiles[name] = crop(stage(wanted), face, kind)
    return laid_out(tiles, SPAN[kind][3])


def laid_out(tiles: Mapping[str, Image.Image], columns: int) -> Image.Image:
    """Pictures of one size with their names, row by row."""
    width, height = next(iter(tiles.values())).size
    rows = -(-len(tiles) // columns)
    out = Image.new("RGB", (width * columns, (height + 14) * rows), "white")
    for number, (name, tile) in enumerate(tiles.items()):
        corner = number % columns * width, number // columns * (height + 14)
        ImageDraw.Draw(out).text((corner[0] + 4, corner[1] + 1), name, fill="black")
        out.paste(tile, (corner[0], corner[1] + 14))
    return out


def main() -> None:
    """Writes the sheets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--kinds", nargs="+", choices=ROWS, default=list(ROWS))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for path in chosen.pictures:
        found = fit_photo(path)
        for kind in chosen.kinds:
            with torch.no_grad():
                sheet(found, kind).save(chosen.out / f"{path.stem}_{kind}.png")


if __name__ == "__main__":
    main()
