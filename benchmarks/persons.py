"""People of `morphface.synthetic`, photographed by Mitsuba 3: heads with hair that turn.

Heads, skin, hair, collars, glasses and walls are those that one-shot generators learn from; light,
shadows and colours are the renderer's. Shoulders and walls stay where they are.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.independent import Lamp, Part, picture
from morphface.core.colour import srgb_to_linear
from morphface.edit import edit
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render import rasterize
from morphface.synthetic import Dice, Person, random_person
from morphface.synthetic.body import Clothes, woven
from morphface.synthetic.draw import placed
from morphface.synthetic.shapes import BODY, HAIR
from morphface.synthetic.shapes import Part as Surface
from morphface.synthetic.styles import STYLES

__all__ = ["KINDS", "Shot", "Sitting", "sitting"]

KINDS = ("crop", "long", "bun", "side", "bob", "curls", "back", "waves", "buzz", "fringe")
SIZE = 256
FOCAL = 480.0
PLACE = (0.0, 25.0, -700.0)
SAMPLES = 8


@dataclass(frozen=True)
class Shot:
    """A picture and what its pixels show.

    Args:
        image: RGB in [0, 1], as a camera stores it.
        person: where the person is.
        head: where their face, ears and hair are.
        hair: where their hair is.
    """

    image: Tensor
    person: Tensor
    head: Tensor
    hair: Tensor


@dataclass(frozen=True)
class Sitting:
    """Somebody before a camera.

    Args:
        person: who it is.
        front: their parameters when they look into it.
        lamp: what lights them.
    """

    person: Person
    front: FaceParameters
    lamp: Lamp

    def turned(self, yaw: float) -> FaceParameters:
        """Their parameters when their head has turned.

        Args:
            yaw: in degrees.
        """
        return edit(self.front, model=self.person.model, yaw=yaw)

    def photograph(self, pose: FaceParameters, kept: Path | None = None) -> Shot:
        """A picture.

        Args:
            pose: one frame.
            kept: a file of it, read if it is there, written if not.
        """
        parts = placed(self.person, pose)
        masks = _masks(parts, self.person.camera)
        if kept is not None and kept.is_file():
            return Shot(torch.from_numpy(np.load(kept)).float() / 255, *masks)
        surfaces = [_surface(part, self.person.clothes) for part in parts]
        image = picture(surfaces, self.person.camera, self.lamp, SAMPLES, self.person.wall)
        image = image.float().mul(255).round()
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, image.byte().numpy())
        return Shot(image / 255, *masks)


def sitting(model: MorphableModel, number: int) -> Sitting:
    """The person of a number, always the same.

    Args:
        model: of the head.
        number: from 0; kinds of hair take turns.
    """
    dice = Dice(17, number)
    style = next(each for each in STYLES if each.name == KINDS[number % len(KINDS)])
    person = random_person(model, SIZE, SIZE, dice, style)
    camera = Camera.facing((SIZE, SIZE), focal=FOCAL)
    still, clothes = torch.zeros(3), replace(person.clothes, pattern="plain")
    person = replace(
        person, camera=camera, rotation=still, translation=torch.tensor(PLACE), clothes=clothes
    )
    front = FaceParameters(
        identity=person.identity,
        expression=torch.zeros(1, model.expression.rank),
        reflectance=person.reflectance,
        illumination=torch.zeros(1, 9, 3),
        rotation=still[None],
        translation=person.translation[None],
        gaze=torch.zeros(1, 2, 2),
    )
    smile, jaw = dice.number(0.0, 0.6), dice.number(0.0, 0.15)
    mouth = {"mouthSmileLeft": smile, "mouthSmileRight": smile, "jawOpen": jaw}
    side, share = dice.number(-0.8, 0.8), dice.number(0.2, 0.6)
    sky, sun = 0.95 - 0.7 * share, (share, 0.97 * share, 0.92 * share)
    lamp = Lamp((sky, sky, sky), sun, (side, dice.number(0.2, 0.8), 0.8))
    return Sitting(person, edit(front, model=model, expression=mouth), lamp)


def _surface(part: Surface, clothes: Clothes) -> Part:
    colours = part.colours
    if part.places is not None:
        cloth = part.places[:, 2:] > 0
        colours = torch.where(cloth, woven(part.places, clothes), colours)
    colours = srgb_to_linear(colours.clamp(0, 1))
    return Part(part.vertices, part.faces, normals=part.normals, colours=colours)


def _masks(parts: list[Surface], camera: Camera) -> tuple[Tensor, Tensor, Tensor]:
    """Where the person is, their head, and their hair."""
    start, faces, kinds = 0, [], []
    for part in parts:
        faces.append(part.faces.long() + start)
        kinds.append(part.kinds[part.faces[:, 0].long()])
        start += len(part.vertices)
    screen = camera.project(torch.cat([part.vertices for part in parts]))[None]
    found = rasterize(screen, torch.cat(faces), camera.size)
    mask = found.mask[0]
    kind = torch.cat(kinds)[found.face[0].clamp(min=0).long()].round()
    return mask, mask & (kind != BODY), mask & (kind == HAIR)
