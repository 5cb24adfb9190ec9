"""Who is in a picture: the person's matte, and hair, skin and clothes within it."""

from morphface.segment.filters import foreground
from morphface.segment.labels import Labels, label_person
from morphface.segment.matte import Working, person_matte, working_size

__all__ = ["Labels", "Working", "foreground", "label_person", "person_matte", "working_size"]
