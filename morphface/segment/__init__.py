"""Who is in a picture: the person's matte, and hair, skin and clothes within it."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.segment.filters import foreground
    from morphface.segment.labels import Labels, label_person
    from morphface.segment.matte import Working, person_matte, working_size


__all__ = ["Labels", "Working", "foreground", "label_person", "person_matte", "working_size"]


_HOMES = {
    "Labels": "labels",
    "Working": "matte",
    "foreground": "filters",
    "label_person": "labels",
    "person_matte": "matte",
    "working_size": "matte",
}

__getattr__ = lazy_names(__name__, _HOMES)
