"""People that nobody is, drawn without end: heads with hair, clothes, walls, light and cameras."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.synthetic.dice import Dice
    from morphface.synthetic.draw import Shot, photograph
    from morphface.synthetic.films import SyntheticFilms
    from morphface.synthetic.heads import SyntheticHeads
    from morphface.synthetic.motion import Motion, MotionModel, TrackMotions, default_motion
    from morphface.synthetic.people import Scene, SyntheticPeople
    from morphface.synthetic.person import Person, random_person
    from morphface.synthetic.relief import ReliefSettings, random_relief
    from morphface.synthetic.solid import Solid, solid_of

__all__ = [
    "Dice",
    "Motion",
    "MotionModel",
    "Person",
    "ReliefSettings",
    "Scene",
    "Shot",
    "Solid",
    "SyntheticFilms",
    "SyntheticHeads",
    "SyntheticPeople",
    "TrackMotions",
    "default_motion",
    "photograph",
    "random_person",
    "random_relief",
    "solid_of",
]

_HOMES = {
    "Dice": "dice",
    "Motion": "motion",
    "MotionModel": "motion",
    "Person": "person",
    "ReliefSettings": "relief",
    "Scene": "people",
    "Shot": "draw",
    "Solid": "solid",
    "SyntheticFilms": "films",
    "SyntheticHeads": "heads",
    "SyntheticPeople": "people",
    "TrackMotions": "motion",
    "default_motion": "motion",
    "photograph": "draw",
    "random_person": "person",
    "random_relief": "relief",
    "solid_of": "solid",
}

__getattr__ = lazy_names(__name__, _HOMES)
