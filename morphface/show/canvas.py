"""Where plots are drawn: a figure of their own, or axes that are given; pyplot is not touched."""

from typing import TYPE_CHECKING, Any

from morphface.core.errors import MissingDependencyError, ParameterError
from morphface.show.pictures import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["canvas", "lay_out"]

_DPI = 100


def canvas(
    axes: "Axes | None",
    size: tuple[float, float],
    *,
    rows: int = 1,
    columns: int = 1,
) -> "tuple[Figure, list[Axes]]":
    """A new figure with panels; or the figure of `axes`, and these as the only panel.

    Args:
        axes: to draw in; None makes a figure.
        size: width and height of the new figure, in inches.
        rows: of panels.
        columns: of panels.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ParameterError: `axes` are no axes of matplotlib.
    """
    try:
        from matplotlib.axes import Axes as KnownAxes

        from morphface.show.figures import ShownFigure
    except ImportError as error:
        raise MissingDependencyError(
            "plots need matplotlib, which is not installed; run: pip install 'morphface[notebook]'"
        ) from error
    if axes is None:
        figure = ShownFigure(figsize=size, dpi=_DPI, layout="constrained")
        return figure, list(figure.subplots(rows, columns, squeeze=False).flat)
    if not isinstance(axes, KnownAxes):
        raise ParameterError(
            f"axes must be one matplotlib Axes, or None for a new figure, got {type(axes).__name__}"
        )
    root: Any = axes.get_figure(root=True)
    return root, [axes]


def lay_out(
    axes: "Axes | None",
    picture: Picture,
    columns: dict[float, str],
    rows: dict[float, str],
) -> "Figure":
    """One picture in a figure or in axes, with words at places of its two sides.

    Args:
        axes: to draw in; None makes a figure.
        picture: what is shown.
        columns: how far from the left, in pixels, and words to set there.
        rows: how far from the top, in pixels, and words to set there.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ParameterError: `axes` are no axes of matplotlib.
    """
    beside = 10 + 6 * max(map(len, rows.values()), default=0)
    below = 30 if columns else 10
    size = ((picture.width + beside) / _DPI, (picture.height + below) / _DPI)
    figure, (panel,) = canvas(axes, size)
    panel.imshow(picture)
    panel.set_xticks(list(columns), list(columns.values()), fontsize=8)
    panel.set_yticks(list(rows), list(rows.values()), fontsize=8)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    return figure
