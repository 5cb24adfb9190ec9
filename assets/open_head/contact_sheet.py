"""Draw what the open head can look like, to be looked at after each build.

    python assets/open_head/contact_sheet.py

writes `identities.jpg` (the mean, and 12 random people), `expressions.jpg` (each of the 52
expressions at weight 1), `people.jpg` (24 random people, each in a row of looks), and close views
of the mean's eyes and mouth, `eyes.jpg` and `mouths.jpg`, beside this file.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from roma import rotvec_to_rotmat
from torch import Tensor

from morphface.geometry.camera import Camera, to_camera
from morphface.models import MorphableModel, load_model
from morphface.render import Renderer

FOLDER = Path(__file__).parent
SIZE = 288  # pixels
DISTANCE = 700.0  # mm
LIGHT = torch.zeros(9, 3)
LIGHT[0], LIGHT[1], LIGHT[2], LIGHT[3] = -0.1, -0.10, 0.22, 0.07


@dataclass(frozen=True)
class View:
    """What a picture shows: `width` mm around `centre`, from `yaw` degrees aside, in pixels."""

    yaw: float = 0.0
    centre: tuple[float, float, float] = (0.0, -20.0, 0.0)
    width: float = 280.0
    size: int = SIZE


def portrait(model: MorphableModel, vertices: Tensor, albedo: Tensor, view: View) -> Image.Image:
    """A picture of a head from 700 mm away."""
    camera = Camera.facing((view.size, view.size), focal=view.size * DISTANCE / view.width)
    turn = torch.tensor([0.0, math.radians(view.yaw), 0.0])
    aim = rotvec_to_rotmat(turn) @ torch.tensor(view.centre)
    seen = to_camera(vertices, turn, torch.tensor([0.0, 0.0, -DISTANCE]) - aim)
    drawn = Renderer.of(model, camera)(seen[None], colours=albedo[None], illumination=LIGHT[None])
    flat = drawn.over(torch.tensor(0.16))[0]
    return Image.fromarray((flat.clamp(0, 1) * 255).byte().numpy())


def sheet(pictures: list[tuple[str, Image.Image]], columns: int, path: Path) -> None:
    """Captioned pictures in rows, as a JPEG."""
    rows, size = math.ceil(len(pictures) / columns), pictures[0][1].width
    out = Image.new("RGB", (columns * size, rows * size))
    draw = ImageDraw.Draw(out)
    for k, (caption, picture) in enumerate(pictures):
        corner = (k % columns * size, k // columns * size)
        out.paste(picture, corner)
        draw.text((corner[0] + 6, corner[1] + 4), caption, fill=(235, 235, 235))
    out.save(path, quality=85)
    print(path)


def identities(model: MorphableModel) -> list[tuple[str, Image.Image]]:
    """The mean from three sides, then random people, each from the front and from the side."""
    mean, albedo = model.identity.mean, model.albedo(torch.zeros(80))
    pictures = [
        (f"mean, {yaw}", portrait(model, mean, albedo, View(yaw=yaw))) for yaw in (0, 35, 80)
    ]
    pictures.append(("mean, -35", portrait(model, mean, albedo, View(yaw=-35))))
    rng = np.random.default_rng(0)
    for k in range(12):
        identity, reflectance = torch.from_numpy(rng.normal(size=(2, 80))).float()
        vertices, colour = model.identity.instance(identity), model.albedo(reflectance)
        pictures += [
            (f"random {k}, {yaw}", portrait(model, vertices, colour, View(yaw=yaw)))
            for yaw in (0, 40)
        ]
    return pictures


def expressions(model: MorphableModel) -> list[tuple[str, Image.Image]]:
    """Each expression at weight 1."""
    albedo, pictures = model.albedo(torch.zeros(80)), []
    for name, weights in zip(model.expression.names, torch.eye(52), strict=True):
        vertices = model.vertices(torch.zeros(80), weights)
        pictures.append((name, portrait(model, vertices, albedo, View(yaw=12))))
    return pictures


def _both(name: str, weight: float) -> dict[str, float]:
    return {f"{name}{side}": weight for side in ("Left", "Right")}


LOOKS = {
    "neutral": ({}, (0, 0)),
    "smile": (_both("mouthSmile", 0.8) | _both("mouthUpperUp", 0.3) | {"jawOpen": 0.06}, (0, 0)),
    "jaw": ({"jawOpen": 0.5}, (0, 0)),
    "blink 0.5": (_both("eyeBlink", 0.5), (0, 0)),
    "blink 1": (_both("eyeBlink", 1.0), (0, 0)),
    "left": ({}, (22, 0)),
    "up": (_both("eyeLookUp", 0.6), (0, 18)),
}
EYES = (
    *((f"blink {w}", _both("eyeBlink", w), (0, 0)) for w in (0.0, 0.25, 0.5, 0.75, 1.0)),
    *((n, _both(n, 1.0), (0, 0)) for n in ("eyeWide", "eyeSquint")),
    *((f"gaze {y} {p}", {}, (y, p)) for y, p in ((25, 0), (-25, 0))),
    ("up, lids follow", _both("eyeLookUp", 0.7), (0, 20)),
    ("down, lids follow", _both("eyeLookDown", 0.7), (0, -20)),
    ("wink", {"eyeBlinkLeft": 1.0}, (0, 0)),
)
MOUTHS = (
    *((f"jawOpen {w}", {"jawOpen": w}) for w in (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)),
    *((n, _both(n, 1.0)) for n in ("mouthSmile", "mouthUpperUp", "mouthLowerDown", "mouthFrown")),
    *((n, {n: 1.0}) for n in ("mouthPucker", "mouthFunnel")),
)


def look(
    model: MorphableModel, identity: Tensor, weights: dict[str, float], gaze: tuple[float, float]
) -> Tensor:
    """Vertices of somebody with named weights who looks somewhere, angles in degrees."""
    expression = torch.zeros(52)
    for name, weight in weights.items():
        expression[model.expression.names.index(name)] = weight
    return model.vertices(identity, expression, torch.tensor([gaze] * 2).float().deg2rad())


def people(model: MorphableModel) -> list[tuple[str, Image.Image]]:
    """24 random people, each with all looks, turned a little."""
    rng, pictures = np.random.default_rng(7), []
    for k in range(24):
        identity, reflectance = torch.from_numpy(rng.normal(size=(2, 80))).float()
        colour, yaw = model.albedo(reflectance), (0, 20, -20)[k % 3]
        for name, (weights, gaze) in LOOKS.items():
            vertices = look(model, identity, weights, gaze)
            pictures.append((f"{k} {name}", portrait(model, vertices, colour, View(yaw=yaw))))
    return pictures


def eyes(model: MorphableModel) -> list[tuple[str, Image.Image]]:
    """The mean's left eye, from near."""
    view = View(centre=(31.0, 0.0, 0.0), width=55.0, size=420)
    albedo, nobody = model.albedo(torch.zeros(80)), torch.zeros(80)
    return [(n, portrait(model, look(model, nobody, w, g), albedo, view)) for n, w, g in EYES]


def mouths(model: MorphableModel) -> list[tuple[str, Image.Image]]:
    """The mean's mouth, from near."""
    view = View(centre=(0.0, -72.0, 0.0), width=80.0, size=420)
    albedo, nobody = model.albedo(torch.zeros(80)), torch.zeros(80)
    return [(n, portrait(model, look(model, nobody, w, (0, 0)), albedo, view)) for n, w in MOUTHS]


def main() -> None:
    """Draw all sheets."""
    model = load_model("open-head", detail="high")
    sheet(identities(model), 7, FOLDER / "identities.jpg")
    sheet(expressions(model), 9, FOLDER / "expressions.jpg")
    sheet(people(model), 14, FOLDER / "people.jpg")
    sheet(eyes(model), 4, FOLDER / "eyes.jpg")
    sheet(mouths(model), 4, FOLDER / "mouths.jpg")


if __name__ == "__main__":
    main()
