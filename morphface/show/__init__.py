"""Values as pictures: for notebooks, papers and people.

Values show themselves in Jupyter (`painters.py`). The functions below draw with matplotlib,
which they import when they are called; they make figures of their own and leave pyplot alone.
"""

from morphface.show.plots import plot_coefficients, plot_expressions, plot_residuals
from morphface.show.sheets import filmstrip, plot_maps, plot_modes

__all__ = [
    "filmstrip",
    "plot_coefficients",
    "plot_expressions",
    "plot_maps",
    "plot_modes",
    "plot_residuals",
]
