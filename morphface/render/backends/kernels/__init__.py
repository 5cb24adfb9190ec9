"""The compiled loops of rendering on a CPU; numba is imported with the first of them."""
