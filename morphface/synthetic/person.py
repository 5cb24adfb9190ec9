"""People that nobody is: head, skin, hair, clothes, glasses, what is around them, a camera."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from morphface.core.ramps import ramp
from morphface.core.records import Record
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import edges, vertex_normals
from morphface.models import MorphableModel
from morphface.render.shadows import reached, spread_directions
from morphface.synthetic.body import Clothes, body_of, random_clothes
from morphface.synthetic.dice import Dice
from morphface.synthetic.glasses import random_glasses
from morphface.synthetic.hair import Strands, grown_beard, grown_hair, scalp
from morphface.synthetic.light import Light, random_light
from morphface.synthetic.shapes import Part
from morphface.synthetic.styles import HairStyle, hair_colour, random_beard, random_style
from morphface.synthetic.walls import random_wall

__all__ = ["FILLED", "Person", "random_person", "random_skin", "smoothed"]

FILLED = 0.61
"""Part of the side of a picture that a face fills from brows to chin and beyond, as in HeadGAN's
data: boxes of 156 pixels in crops of 256."""
BOX = 185.0
"""Height of the box of a face, from mid-forehead to below the chin, in millimetres."""
MIDDLE = (0.0, -28.0, 0.0)
"""Middle of that box in the model frame."""
TONES = 0.85
"""Size of reflectance in standard deviations: at 1, one in twenty is redder than people are."""
DARKEST, LIGHTEST = -2.0, 2.2
"""Range of the first component of reflectance, the tone, which is drawn evenly: typology angles
from -35 to 72 degrees on the open head's cheeks (`benchmarks/bench_corpus.py`)."""
INNER = {"mouth": 0.22, "gums": 0.35, "tongue": 0.45, "teeth": 0.75}
"""Share of the light from everywhere that reaches the inside of an open mouth."""

ROUNDS = 5
"""How often what shadows leave is averaged with its neighbours: 1 cm in all."""


@dataclass(frozen=True, eq=False)
class Person(Record):
    """Somebody in one place.

    Args:
        model: of the head.
        identity: coefficients of the head.
        reflectance: coefficients of the skin.
        neutral: vertices without expression.
        colours: albedo of the vertices, with mottles, and with the scalp below hair.
        open: share of the light from everywhere that reaches the vertices.
        hair: strands of scalp and beard, with their colours.
        glasses: None for none.
        clothes: that are worn.
        body: torso and collar in the model frame.
        light: of the place.
        wall: what is behind the person, in the finest resolution.
        camera: that takes the pictures.
        rotation: of the head at rest, rotation vector.
        translation: of the head at rest, in millimetres.
        facing: rotation vector of the body.
    """

    model: MorphableModel
    identity: Float[Tensor, "1 I"]
    reflectance: Float[Tensor, "1 A"]
    neutral: Float[Tensor, "V 3"]
    colours: Float[Tensor, "V 3"]
    open: Float[Tensor, " V"]
    hair: tuple[tuple[Strands, Tensor], ...]
    glasses: Part | None
    clothes: Clothes
    body: tuple[Part, ...]
    light: Light
    wall: Float[Tensor, "S S 3"]
    camera: Camera
    rotation: Float[Tensor, "3"]
    translation: Float[Tensor, "3"]
    facing: Float[Tensor, "3"]


def random_person(
    model: MorphableModel, size: int, finest: int, dice: Dice, style: HairStyle | None = None
) -> Person:
    """Somebody at random.

    Args:
        model: with reflectance and the regions of the open head.
        size: side of pictures in pixels.
        finest: side of the wall, which is drawn finer.
        dice: what draws everything.
        style: of the hair; None draws it, too.
    """
    identity = dice.normal(1, model.identity.rank)
    reflectance = random_skin(model, dice)
    neutral = model.identity.instance(identity)[0]
    albedo = model.albedo(reflectance)[0]
    style = random_style(dice) if style is None else style
    neck = albedo[model.regions["neck"] > 0.5].median(dim=0).values
    colour = hair_colour(dice, float(neck.mean()))
    hair = []
    grown = grown_hair(model, neutral, style, dice)
    if grown is not None:
        hair.append((grown, colour))
    if style.length < 130 and dice.chance(0.4):
        beard = grown_beard(model, neutral, random_beard(dice), dice)
        hair.append((beard, colour * dice.uniform(0.8, 1.1, 1)))
    clothes = random_clothes(dice)
    camera, rotation, translation = _view(size, dice)
    return Person(
        model,
        identity,
        reflectance,
        neutral,
        _painted(model, albedo, colour, scalp(model, style.bare) if style.strands else None, dice),
        _open(model, neutral),
        tuple(hair),
        random_glasses(model, neutral, dice) if dice.chance(0.2) else None,
        clothes,
        tuple(body_of(clothes, neck)),
        random_light(dice),
        random_wall(finest, dice),
        camera,
        rotation,
        translation,
        angles_to_rotvec(torch.deg2rad(dice.normal(3) * torch.tensor([14.0, 3.0, 2.5]))),
    )


def random_skin(model: MorphableModel, dice: Dice) -> Float[Tensor, "1 A"]:
    """Reflectance of skin of any tone, dark and light ones as often as those between.

    Args:
        model: with reflectance, whose first component is the tone.
        dice: what draws it.
    """
    out = TONES * dice.normal(1, model.reflectance.rank if model.reflectance else 0)
    out[:, :1] = dice.uniform(DARKEST, LIGHTEST, 1)
    return out


def _view(size: int, dice: Dice) -> tuple[Camera, Tensor, Tensor]:
    """A camera near or far, its picture cut out around the face; the head's pose at rest."""
    away = dice.number(450.0, 1400.0)
    filled = FILLED * dice.number(0.88, 1.12)
    focal = filled * size * away / BOX
    off = dice.normal(2) * 0.12 * size
    principal = torch.tensor([size / 2, size / 2]) + off
    aside = dice.normal(2) * torch.tensor([0.025, 0.025]) * size
    x, y = ((aside - off) * away / focal).tolist()
    place = torch.tensor([x - MIDDLE[0], -y - MIDDLE[1], -away - MIDDLE[2]])
    angles = torch.deg2rad(dice.normal(3) * torch.tensor([11.0, 6.0, 4.0]))
    return Camera(torch.tensor(focal), principal, (size, size)), angles_to_rotvec(angles), place


def _painted(
    model: MorphableModel, albedo: Tensor, hair: Tensor, behind: Tensor | None, dice: Dice
) -> Float[Tensor, "V 3"]:
    """Skin with mottles and freckles, and the colour of hair on the scalp and the brows."""
    mean = model.identity.mean
    length = dice.uniform(7.0, 30.0, 24, 1)
    waves = normalize(dice.normal(24, 3), dim=-1) * 2 * torch.pi / length
    size = dice.number(0.001, 0.007)
    mottle = 1 + size * torch.sin(mean @ waves.T + dice.uniform(0, 6.28, 24)).sum(-1)
    skin = model.regions["skin"] > 0.5
    spots = skin & (dice.uniform(0, 1, len(mean)) < dice.pick((0.0, 0.0, 0.003, 0.02)))
    factor = torch.where(skin, mottle, 1.0) * torch.where(spots, 0.87, 1.0)
    colours = albedo * factor[:, None]
    brows = 0.6 * dice.number(0.3, 1.0) * model.regions["brows"][:, None]
    colours = torch.lerp(colours, 0.8 * hair, brows)
    if behind is not None:
        colours = torch.lerp(colours, 0.55 * hair, 0.9 * ramp(behind, -2.0, 14.0)[:, None])
    return colours.clamp(0, 1)


def smoothed(values: Float[Tensor, " V"], model: MorphableModel) -> Float[Tensor, " V"]:
    """Means over neighbours on the mesh, so that few directions leave no spots.

    Args:
        values: of the vertices.
        model: of the mesh.
    """
    ends, count = _neighbours(model)
    for _ in range(ROUNDS):
        total = values.clone()
        total.index_add_(0, ends[:, 0], values[ends[:, 1]])
        total.index_add_(0, ends[:, 1], values[ends[:, 0]])
        values = total / count
    return values


@lru_cache(maxsize=4)
def _neighbours(model: MorphableModel) -> tuple[Tensor, Tensor]:
    ends = edges(model.faces).long()
    return ends, 1.0 + torch.bincount(ends.flatten(), minlength=model.size)


def _open(model: MorphableModel, neutral: Tensor) -> Float[Tensor, " V"]:
    """Share of the sky that each vertex sees, and what its surroundings send on."""
    normals = vertex_normals(neutral, model.faces)
    seen = total = torch.zeros(len(neutral))
    for direction in spread_directions(24, 4 * torch.pi):
        falls = (normals @ direction).clamp(min=0)
        seen = seen + falls * reached(neutral, model.faces, direction, pixels=96)
        total = total + falls
    share = smoothed(0.35 + 0.65 * seen / total.clamp(min=1e-3), model)
    for name, least in INNER.items():
        share = torch.where(model.regions[name] > 0.5, least, share)
    return torch.where(model.regions["eyeballs"] > 0.5, 0.85, share)
