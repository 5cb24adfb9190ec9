"""A head that is decided point by point, from features of a picture where each point is seen.

After PIFuHD (Saito et al. 2020) at two levels, with what a fitted mesh knows in place of depth
(JIFF, Cao et al. 2022): how far a point is from the mesh, and where on the mesh it is nearest.
"""

from morphface.generate.implicit.network import Implicit
from morphface.generate.implicit.octree import occupancy
from morphface.generate.implicit.probes import (
    SPACE,
    Probes,
    ProbeSource,
    space_code,
    stacked_probes,
)
from morphface.generate.implicit.surface import extracted

__all__ = [
    "SPACE",
    "Implicit",
    "ProbeSource",
    "Probes",
    "extracted",
    "occupancy",
    "space_code",
    "stacked_probes",
]
