"""Fits and coefficients as curves and bars, for notebooks and papers."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.fit import FitResult, PhotometricResult
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.parameters.track import LOST, Track
from morphface.pipelines.window import DARK, LIGHT
from morphface.show.canvas import canvas
from morphface.show.heads import guessed_model
from morphface.show.pictures import Picture
from morphface.show.words import expression_names, moving

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["expression_picture", "plot_coefficients", "plot_expressions", "plot_residuals"]

Fit = FitResult | PhotometricResult
GROUPS = ("identity", "expression", "reflectance")
MOST_CURVES = 6
_DEPTH = 200.0
"""By which factor an energy may be below the least total and still be in the picture."""
_BAR, _BAND, _SPREAD = "#2b6cb0", "#8a8f98", "#1a202c"


def plot_residuals(
    result: Fit | FittedFace | FittedPhoto, *, axes: "Axes | None" = None
) -> "Figure":
    """How the residual fell over the iterations of a fit.

    A fit of landmarks has its residual in pixels. A fit of pixels has its energy, and the terms
    of the energy at the end; it jumps where a stage begins, as energies of different stages are
    not on one scale. A fitted face has a panel for each; in given axes, the last one is drawn.

    Args:
        result: of a fit.
        axes: to draw in; None makes a figure, which is returned.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ParameterError: `result` is none of a fit, or `axes` are no axes of matplotlib.
    """
    kinds = _fits(result)
    if axes is not None:
        kinds = kinds[-1:]
    figure, panels = canvas(axes, (4.4 * len(kinds), 3.2), columns=len(kinds))
    for panel, fits in zip(panels, kinds, strict=True):
        _draw_history(panel, fits)
    return figure


def plot_coefficients(
    parameters: FaceParameters,
    model: MorphableModel | None = None,
    *,
    group: str | None = None,
    axes: "Axes | None" = None,
) -> "Figure":
    """Coefficients as bars, before the band that their prior N(0, 1) or their bounds allow.

    Of several frames, a bar is the median and a line goes from the lowest to the highest.

    Args:
        parameters: of a face.
        model: that they belong to, for names and bounds; None takes the open head if it fits.
        group: "identity", "expression" or "reflectance"; None draws all, or the first one in
            given axes.
        axes: to draw in; None makes a figure, which is returned.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ParameterError: there is no such group, or `axes` are no axes of matplotlib.
    """
    if group is not None and group not in GROUPS:
        raise ParameterError(f"group must be one of {', '.join(GROUPS)}, got {group!r}")
    filled = [name for name in GROUPS if getattr(parameters, name).numel()] or ["identity"]
    groups = [group] if group else filled[: 1 if axes is not None else None]
    model = model or guessed_model(parameters)
    figure, panels = canvas(axes, (9.0, 2.6 * len(groups)), rows=len(groups))
    for panel, name in zip(panels, groups, strict=True):
        _draw_bars(panel, name, getattr(parameters, name).detach().cpu(), model)
        if name == "expression":
            names = expression_names(parameters, model)
            panel.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    return figure


def plot_expressions(
    parameters: FaceParameters | Track,
    names: Sequence[str] | None = None,
    *,
    model: MorphableModel | None = None,
    axes: "Axes | None" = None,
) -> "Figure":
    """Expression coefficients over time; a track has gaps where the face is lost.

    Args:
        parameters: of several frames, or a track, whose time is in seconds.
        names: of the expressions; None takes those that move most.
        model: that they belong to, for names; None takes the open head if it fits.
        axes: to draw in; None makes a figure, which is returned.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ParameterError: there is no expression of a name, or `axes` are no axes of matplotlib.
    """
    track = parameters if isinstance(parameters, Track) else None
    face = parameters.parameters if isinstance(parameters, Track) else parameters
    model = model or guessed_model(face)
    known = expression_names(face, model)
    chosen = _chosen(names, known) if names is not None else moving(face, MOST_CURVES)
    values = face.expression.detach().cpu().double()
    places = torch.arange(face.frames).double()
    figure, (panel,) = canvas(axes, (8.0, 3.2))
    if track is not None:
        places, lost = track.times.cpu().double(), track.states.cpu() == LOST
        values = values.masked_fill(lost[:, None], torch.nan)
        _draw_lost(panel, places, lost)
    for k in chosen:
        mark = "." if face.frames == 1 else ""
        panel.plot(places.numpy(), values[:, k].numpy(), label=known[k], lw=1.2, marker=mark)
    panel.set_xlabel("time (s)" if track is not None else "frame")
    panel.set_ylabel("weight")
    if chosen:
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    else:
        panel.text(0.5, 0.5, "no expression moves", ha="center", transform=panel.transAxes)
    return figure


def expression_picture(value: FaceParameters | Track, model: MorphableModel, width: int) -> Picture:
    """The curves of `plot_expressions` on the ground of all pictures.

    Args:
        value: of several frames.
        model: that they belong to.
        width: of the picture, in pixels.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    figure, (panel,) = canvas(None, (width / 100, 2.2))
    plot_expressions(value, model=model, axes=panel)
    _darken(figure, panel)
    out = BytesIO()
    figure.savefig(out, format="png", dpi=100)
    return Image.open(out).convert("RGB")


def _darken(figure: Any, panel: "Axes") -> None:
    """Light on dark, as pictures of heads are."""
    ground, ink = (f"#{bytes(colour).hex()}" for colour in (DARK, LIGHT))
    figure.set_facecolor(ground)
    panel.set_facecolor(ground)
    panel.tick_params(colors=ink, labelsize=8)
    panel.spines[:].set_color(ink)
    panel.spines[["top", "right"]].set_visible(False)
    words = [panel.xaxis.label, panel.yaxis.label, *panel.texts]
    legend = panel.get_legend()
    for text in [*words, *(legend.get_texts() if legend else ())]:
        text.set_color(ink)
        text.set_fontsize(8)


def _fits(result: Any) -> list[list[tuple[str, Fit]]]:
    """The fits of landmarks and those of pixels, each with a name; kinds without any left out."""
    if isinstance(result, FitResult | PhotometricResult):
        return [[("", result)]]
    faces = (result,) if isinstance(result, FittedFace) else getattr(result, "faces", None)
    if not faces or not all(isinstance(face, FittedFace) for face in faces):
        raise ParameterError(
            "result must be a FitResult, a PhotometricResult, or a fitted face or photo, got "
            + ("no face" if faces == () else type(result).__name__)
        )
    names = [f"face {k}" if len(faces) > 1 else "" for k in range(len(faces))]
    marks: list[tuple[str, Fit]] = [(n, f.fit) for n, f in zip(names, faces, strict=True)]
    pixels: list[tuple[str, Fit]] = [
        (n, f.pixels) for n, f in zip(names, faces, strict=True) if f.pixels is not None
    ]
    return [marks, pixels] if pixels else [marks]


def _draw_history(panel: "Axes", fits: list[tuple[str, Fit]]) -> None:
    of_pixels = isinstance(fits[0][1], PhotometricResult)
    for name, fit in fits:
        steps = range(1, len(fit.history) + 1)
        label = name or ("total" if of_pixels else "landmarks")
        panel.plot(steps, fit.history, marker=".", lw=1.2, label=label)
        if isinstance(fit, PhotometricResult) and len(fits) == 1:
            for term, energy in fit.energies.items():
                label = f"{term} {energy:.2g} at the end"
                panel.plot([len(fit.history)], [energy], "_", ms=10, label=label)
    if of_pixels:
        panel.set_yscale("log", nonpositive="mask")
        seen = [energy for _, fit in fits for energy in fit.history if energy > 0]
        panel.set_ylim(bottom=max(panel.get_ylim()[0], min(seen, default=0.0) / _DEPTH))
    else:
        panel.set_ylim(bottom=0.0)
    panel.locator_params("x", integer=True)
    panel.set_xlabel("iteration")
    panel.set_ylabel("energy" if of_pixels else "residual (pixels)")
    panel.legend(fontsize=7, frameon=False)


def _draw_bars(
    panel: "Axes", group: str, values: Float[Tensor, "T K"], model: MorphableModel | None
) -> None:
    count = values.shape[1]
    places = range(count)
    edges = [k - 0.5 for k in range(count + 1)]
    for deviations, shade in ((2.0, 0.15), (1.0, 0.25)):
        limits = _limits(group, count, model, deviations)
        low, high = ([*ends, ends[-1]] for ends in zip(*limits, strict=True))
        panel.fill_between(edges, low, high, step="post", color=_BAND, alpha=shade, lw=0)
    middle = values.median(dim=0).values if len(values) else values.new_zeros(count)
    panel.bar(places, middle.tolist(), 0.7, color=_BAR, zorder=2)
    if len(values) > 1:
        ends = values.amin(0).tolist(), values.amax(0).tolist()
        panel.vlines(places, *ends, color=_SPREAD, lw=1, zorder=3)
    panel.axhline(0.0, color="black", lw=0.6)
    panel.set_title(group, fontsize=9, loc="left")
    panel.margins(x=0.01)


def _limits(
    group: str, count: int, model: MorphableModel | None, deviations: float
) -> list[tuple[float, float]]:
    """The bounds of each coefficient; for one without, so many standard deviations."""
    free = (-deviations, deviations)
    if group != "expression" or model is None:
        return [free] * max(count, 1)
    bounds = model.expression.bounds[:count].tolist()
    return [(a, b) if math.isfinite(a) and math.isfinite(b) else free for a, b in bounds]


def _chosen(names: Sequence[str], known: Sequence[str]) -> list[int]:
    from morphface.edit.names import unknown

    names = [names] if isinstance(names, str) else names
    for name in names:
        if name not in known:
            raise ParameterError(unknown("expression", name, known))
    return [known.index(name) for name in names]


def _draw_lost(panel: "Axes", places: Tensor, lost: Tensor) -> None:
    if bool(lost.any()):
        panel.fill_between(
            places.numpy(),
            0.0,
            1.0,
            where=lost.numpy(),
            transform=panel.get_xaxis_transform(),
            color=_BAND,
            alpha=0.25,
            label="lost",
        )
