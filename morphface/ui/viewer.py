"""The fitted head in 3D, in a notebook or in a page of its own.

It is drawn by three.js, which is part of the package as `static/viewer.js`: nothing comes from
the network. `assets/viewer` holds its source.
"""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any, NoReturn

import traitlets

from morphface.core.errors import MissingDependencyError, ParameterError
from morphface.core.files import atomic_write
from morphface.edit.names import unknown
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.mesh import vertex_normals
from morphface.media.images import Photo
from morphface.media.meshes import Surface, encode_gltf
from morphface.models import ExpressionBasis
from morphface.pipelines.head_files import rigged_head
from morphface.pipelines.photo import fit_photo

try:
    import anywidget
except ImportError as error:
    raise MissingDependencyError(
        "the 3D view needs anywidget; run: pip install 'morphface[notebook]'"
    ) from error

__all__ = ["HeadViewer"]

_STATIC = Path(__file__).parent / "static"
_FAR = 3.0
"""Standard deviations that a slider reaches where a model states no bounds."""

Shown = str | Path | FittedPhoto | FittedFace | Surface


def _text(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


class Weights(dict[str, float]):
    """The weight of each expression. To change one, assign a new value to `viewer.weights`."""

    def __setitem__(self, name: str, value: float) -> NoReturn:
        raise ParameterError(
            f"weights are replaced as a whole; write: "
            f"viewer.weights = viewer.weights | {{{name!r}: {value}}}"
        )


class HeadViewer(anywidget.AnyWidget):
    """A textured head to turn with the mouse, with a slider for each of its expressions.

    Drag to turn, click and scroll to zoom, double click to look from the front. What the hand
    does shows in the attributes, and what is assigned to them shows in the view.

    Args:
        head: a path of a picture, `sample:astronaut`, what `fit_photo` gave, one of its faces, or
            a surface with named targets.
        photo: the photo of a single face.
        face: which face of a photo, the largest is 0.
        model: name of a morphable model, for a path.

    Attributes:
        weights: of the expressions, by name. Those that an assigned dictionary leaves out rest.
        textured: whether the head has its colours, or is of clay.
        wireframe: whether its triangles show.
        light: degrees from the viewer's left (-90) to the right (90).

    Raises:
        MorphfaceError: the subclass and its message say what is wrong with the picture.
    """

    _esm = _text("viewer.js") + "\nexport default morphfaceViewer.default;\n"
    _css = _text("editor.css") + _text("viewer.css")
    _glb = traitlets.Bytes().tag(sync=True)
    _targets: traitlets.List[Any] = traitlets.List().tag(sync=True)
    weights = traitlets.Dict().tag(sync=True)
    textured = traitlets.Bool(True).tag(sync=True)
    wireframe = traitlets.Bool(False).tag(sync=True)
    light = traitlets.Float(0.0, min=-90.0, max=90.0).tag(sync=True)

    def __init__(
        self,
        head: Shown,
        photo: Photo | None = None,
        *,
        face: int = 0,
        model: str = "open-head",
    ) -> None:
        self._surface, self._targets_of = _rig(head, photo, face, model)
        start = {target["name"]: target["start"] for target in self._targets_of}
        shown = encode_gltf(self._surface.in_one_piece(), target_normals=False)
        super().__init__(_glb=shown, _targets=self._targets_of, weights=start)

    @property
    def surface(self) -> Surface:
        """The head as it is shown: its weights are those of the sliders."""
        return replace(self._surface, weights=dict(self.weights))

    def head(self, path: str | Path) -> Path:
        """Write the head as it is shown, a glTF file.

        Args:
            path: where to; usually `.glb`.

        Returns:
            The path.

        Raises:
            OutputError: nothing can be written there.
        """
        with atomic_write(path) as temporary:
            temporary.write_bytes(encode_gltf(self.surface))
        return Path(path)

    def to_html(self, path: str | Path, *, title: str = "head") -> Path:
        """Write this view as one page that any browser opens from disk, without a network.

        Args:
            path: of the file, `.html`.
            title: of the page.

        Returns:
            Where it is.

        Raises:
            OutputError: it cannot be written there.
        """
        names = ("weights", "textured", "wireframe", "light")
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        values |= {"_targets": self._targets, "_glb": base64.b64encode(self._glb).decode()}
        page = Template(_text("viewer.html")).substitute(
            title=title.replace("&", "&amp;").replace("<", "&lt;"),
            style=self._css,
            script=_text("viewer.js").replace("</script", "<\\/script"),
            values=json.dumps(values).replace("<", "\\u003c"),
        )
        with atomic_write(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
        return Path(path)

    @traitlets.validate("weights")
    def _check_weights(self, proposal: Mapping[str, Any]) -> Weights:
        return _checked(proposal["value"], self._targets_of)


def _rig(
    head: Shown, photo: Photo | None, face: int, model: str
) -> tuple[Surface, list[dict[str, Any]]]:
    """What to show, and the sliders of it."""
    if isinstance(head, Surface):
        if head.normals is None:  # else each triangle would show
            head = replace(head, normals=vertex_normals(head.vertices, head.faces))
        return head, [_slider(name, 0.0, 1.0, head) for name in head.targets]
    if isinstance(head, str | Path):
        head, face = fit_photo(head, model=model, faces=face), 0
    if isinstance(head, FittedPhoto):
        if not 0 <= face < len(head.faces):
            raise ParameterError(
                f"face must be from 0 to {len(head.faces) - 1}, the photo's faces, got {face}"
            )
        photo, head = head.photo, head.faces[face]
    if not isinstance(head, FittedFace):
        raise ParameterError(
            f"head must be a picture's path, what fit_photo gave, or a Surface, "
            f"got {type(head).__name__}"
        )
    if photo is None:
        raise ParameterError(
            "a single face needs its photo: HeadViewer(fitted.faces[0], fitted.photo)"
        )
    rig = rigged_head(head, photo)
    return rig, [_slider(*bound, rig) for bound in _bounds(head.model.expression)]


def _bounds(expression: ExpressionBasis) -> list[tuple[str, float, float]]:
    """Name, least and most of each expression, finite."""
    ends = expression.bounds.clamp(-_FAR, _FAR).tolist()
    return [(name, *end) for name, end in zip(expression.names, ends, strict=True)]


def _slider(name: str, least: float, most: float, rig: Surface) -> dict[str, Any]:
    """One target for the page; a weight that a fit gave is always within reach."""
    start = rig.weights.get(name, 0.0)
    return {"name": name, "min": min(least, start), "max": max(most, start), "start": start}


def _checked(weights: Mapping[str, Any], targets: list[dict[str, Any]]) -> Weights:
    """All weights, those not given 0.

    Raises:
        ParameterError: a name is unknown, or a value not a number within its bounds.
    """
    for name in weights:
        if name not in (known := [target["name"] for target in targets]):
            raise ParameterError(unknown("expression", str(name), known))
    return Weights((t["name"], _within(weights.get(t["name"], 0.0), t)) for t in targets)


def _within(value: Any, target: Mapping[str, Any]) -> float:
    least, most = target["min"], target["max"]
    if not isinstance(value, int | float) or not math.isfinite(value) or not least <= value <= most:
        raise ParameterError(
            f"{target['name']} must be a number from {least:g} to {most:g}, got {value!r}"
        )
    return float(value)
