"""Notebooks run as tests at small settings: fewer frames, smaller networks, fewer steps."""

import os

os.environ.setdefault("MORPHFACE_NOTEBOOKS", "small")
