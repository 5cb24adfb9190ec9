"""The edited head as the bytes of a glTF file."""

from pathlib import Path
from tempfile import TemporaryDirectory

from morphface.fit.fitted import FittedPhoto
from morphface.media.meshes import Surface, write_gltf
from morphface.parameters import FaceParameters
from morphface.pipelines.head_files import reshaped, rigged_head

__all__ = ["head_bytes", "head_of"]


def head_of(found: FittedPhoto) -> Surface:
    """The fitted head with its texture; it takes a second or two.

    Args:
        found: the photo and one face.
    """
    return rigged_head(found.faces[0], found.photo)


def head_bytes(head: Surface, found: FittedPhoto, parameters: FaceParameters) -> bytes:
    """A head with other parameters, its texture that of the photo.

    Args:
        head: the fitted head.
        found: the photo and the face.
        parameters: of the head that is saved.
    """
    moved = reshaped(head, found.faces[0].model, parameters)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "head.glb"
        write_gltf(path, moved)
        return path.read_bytes()
