"""Draw what the open head can look like, to be looked at after each build.

    python assets/open_head/contact_sheet.py

writes `identities.jpg` (the mean, and 12 random people), `expressions.jpg` (each of the 52
expressions at weight 1) and `gaze.jpg` beside this file.
"""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from morphface.geometry.camera import Camera, to_camera
from morphface.models import MorphableModel, load_model
from morphface.render import Renderer

FOLDER = Path(__file__).parent
SIZE = 288
LIGHT = torch.zeros(9, 3)
LIGHT[0], LIGHT[1], LIGHT[2], LIGHT[3] = -0.1, -0.10, 0.22, 0.07


def portrait(model: MorphableModel, vertices: Tensor, albedo: Tensor, yaw: float = 0.0) -> Image:
    """A picture of a head from 700 mm away, turned by `yaw` degrees."""
    camera = Camera.facing((SIZE, SIZE), focal=SIZE * 2.5)
    turn = torch.tensor([0.0, math.radians(yaw), 0.0])
    seen = to_camera(vertices, turn, torch.tensor([0.0, 20.0, -700.0]))
    drawn = Renderer.of(model, camera)(seen[None], colours=albedo[None], illumination=LIGHT[None])
    flat = drawn.over(torch.tensor(0.16))[0]
    return Image.fromarray((flat.clamp(0, 1) * 255).byte().numpy())


def sheet(pictures: list[tuple[str, Image.Image]], columns: int, path: Path) -> None:
    """Captioned pictures in rows, as a JPEG."""
    rows = math.ceil(len(pictures) / columns)
    out = Image.new("RGB", (columns * SIZE, rows * SIZE))
    draw = ImageDraw.Draw(out)
    for k, (caption, picture) in enumerate(pictures):
        corner = (k % columns * SIZE, k // columns * SIZE)
        out.paste(picture, corner)
        draw.text((corner[0] + 6, corner[1] + 4), caption, fill=(235, 235, 235))
    out.save(path, quality=85)
    print(path)


def identities(model: MorphableModel) -> list[tuple[str, Image.Image]]:
    """The mean from three sides, then random people, each from the front and from the side."""
    mean, albedo = model.identity.mean, model.albedo(torch.zeros(80))
    pictures = [(f"mean, {yaw}", portrait(model, mean, albedo, yaw)) for yaw in (0, 35, 80)]
    pictures.append(("mean, -35", portrait(model, mean, albedo, -35)))
    rng = np.random.default_rng(0)
    for k in range(12):
        identity, reflectance = torch.from_numpy(rng.normal(size=(2, 80))).float()
        vertices, colour = model.identity.instance(identity), model.albedo(reflectance)
        pictures += [
            (f"random {k}, {yaw}", portrait(model, vertices, colour, yaw)) for yaw in (0, 40)
        ]
    return pictures


def expressions(model: MorphableModel) -> list[tuple[str, Image.Image]]:
    """Each expression at weight 1."""
    albedo, pictures = model.albedo(torch.zeros(80)), []
    for name, weights in zip(model.expression.names, torch.eye(52), strict=True):
        vertices = model.vertices(torch.zeros(80), weights)
        pictures.append((name, portrait(model, vertices, albedo, 12)))
    return pictures


def gazes(model: MorphableModel) -> list[tuple[str, Image.Image]]:
    """Eyes turned 25 degrees each way."""
    albedo, pictures = model.albedo(torch.zeros(80)), []
    for yaw, pitch in ((0, 0), (25, 0), (-25, 0), (0, 20), (0, -20)):
        gaze = torch.tensor([[yaw, pitch]] * 2).deg2rad()
        vertices = model.vertices(torch.zeros(80), torch.zeros(52), gaze)
        pictures.append((f"gaze {yaw} {pitch}", portrait(model, vertices, albedo)))
    return pictures


def main() -> None:
    """Draw all three sheets."""
    model = load_model("open-head", detail="high")
    sheet(identities(model), 7, FOLDER / "identities.jpg")
    sheet(expressions(model), 9, FOLDER / "expressions.jpg")
    sheet(gazes(model), 5, FOLDER / "gaze.jpg")


if __name__ == "__main__":
    main()
