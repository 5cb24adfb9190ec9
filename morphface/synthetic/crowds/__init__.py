"""Crowds pasted of rendered heads, and crowds of points alone."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.synthetic.crowds.crowd import Crowd, Crowds, mirrored
    from morphface.synthetic.crowds.heads import (
        HeadBank,
        load_heads,
        part_points,
        render_heads,
        save_heads,
    )
    from morphface.synthetic.crowds.points import PointCrowd, random_points

__all__ = [
    "Crowd",
    "Crowds",
    "HeadBank",
    "PointCrowd",
    "load_heads",
    "mirrored",
    "part_points",
    "random_points",
    "render_heads",
    "save_heads",
]

_HOMES = {
    "Crowd": "crowd",
    "Crowds": "crowd",
    "HeadBank": "heads",
    "PointCrowd": "points",
    "load_heads": "heads",
    "mirrored": "crowd",
    "part_points": "heads",
    "random_points": "points",
    "render_heads": "heads",
    "save_heads": "heads",
}

__getattr__ = lazy_names(__name__, _HOMES)
