"""The editor of a face in a notebook.

It is an `anywidget`, not a widget of `ipywidgets`' own kind: its front end is one ES module that
JupyterLab, Notebook 7, VS Code, Colab and marimo load as it is, and that the local page of
`morphface edit --ui` loads, too; there is nothing to build and no extension to install for each
of them. anywidget is kept up (0.11 in 2026) and speaks to kernels through ipywidgets' own comms.
"""

from pathlib import Path
from typing import Any

from morphface.core.errors import MissingDependencyError, OutputError
from morphface.core.files import atomic_write
from morphface.fit.fitted import FittedPhoto
from morphface.geometry.focal import FocalLength
from morphface.media.images import PictureSource
from morphface.parameters import FaceParameters
from morphface.ui.session import Session

try:
    import anywidget
except ImportError as error:
    raise MissingDependencyError(
        "the editor needs anywidget, which is not installed; run: pip install 'morphface[notebook]'"
    ) from error

__all__ = ["FaceEditor"]

_STATIC = Path(__file__).parent / "static"


class FaceEditor(anywidget.AnyWidget):
    """Sliders for a face, and its picture to drag on, in a notebook.

    What the hand does shows at once in `parameters`; two editors of one fit know nothing of each
    other. When the kernel is gone, the page says so.

    Args:
        image: a picture, as of `fit_photo`, or what that gave, which is not fitted again.
        face: which face, the largest is 0.
        model: name of a morphable model, for a path.
        focal: focal length for a path: pixels, or a 35-mm equivalent such as "50mm".

    Raises:
        MorphfaceError: the subclass and its message say what is wrong with the picture.
    """

    _esm = _STATIC / "editor.js"
    _css = _STATIC / "editor.css"

    def __init__(
        self,
        image: PictureSource | FittedPhoto,
        *,
        face: int = 0,
        model: str = "open-head",
        focal: FocalLength | None = None,
    ) -> None:
        self._session = Session.of(image, face=face, model=model, focal=focal)
        super().__init__()
        self.on_msg(self._hear)

    @property
    def parameters(self) -> FaceParameters:
        """What the sliders say now."""
        return self._session.parameters

    @property
    def json(self) -> str:
        """The values as JSON, to keep or to print."""
        return self._session.json()

    @property
    def python(self) -> str:
        """Python code that makes the same edit."""
        return self._session.python()

    def head(self, path: str | Path) -> Path:
        """Write the edited head with its texture and expressions as glTF.

        Args:
            path: of the file, `.glb`.

        Returns:
            Where it is.

        Raises:
            OutputError: it cannot be written there.
        """
        reply = self._session.handle({"do": "save", "format": "gltf"})
        if reply.fields.get("error"):
            raise OutputError(f"the head cannot be made: {reply.fields['error']}")
        with atomic_write(path) as temporary:
            temporary.write_bytes(reply.buffers[0])
        return Path(path)

    def _hear(self, _: Any, message: Any, buffers: Any) -> None:
        """Answer the page."""
        reply = self._session.handle(message)
        self.send(reply.fields, buffers=list(reply.buffers))
