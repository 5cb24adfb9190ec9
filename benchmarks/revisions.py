"""Fits of stored pictures by the code and model of this checkout, or of another revision."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

__all__ = ["fit_now", "fit_before"]

ROOT = Path(__file__).parents[1]
SCRIPT = Path(__file__).with_name("fit_shots.py")


def fit_now(paths: Sequence[Path], cache: Path, *, alone: bool = False, keep: bool = False) -> Path:
    """The folder where this checkout's fits of these pictures are.

    Args:
        paths: of the pictures.
        cache: fits go to its folder `fits/now`.
        alone: fit no pictures together.
        keep: take fits that are there, made by whatever code.
    """
    found = cache / "fits" / "now"
    for name in {path.parent.name for path in paths if not keep}:
        shutil.rmtree(found / name, ignore_errors=True)
    return _fit(paths, ROOT, found, alone=alone)


def fit_before(paths: Sequence[Path], cache: Path, revision: str, *, alone: bool = False) -> Path:
    """The folder where a git revision's fits of these pictures are; they are kept."""
    commit = _git("rev-parse", "--short=12", f"{revision}^{{commit}}").decode().strip()
    root = cache / "revisions" / commit
    if not root.exists():
        part = root.with_suffix(".part")
        part.mkdir(parents=True, exist_ok=True)
        tree = _git("archive", commit, "morphface")
        subprocess.run(["tar", "-x", "-C", str(part)], input=tree, check=True)
        part.rename(root)
    return _fit(paths, root, cache / "fits" / commit, alone=alone)


def _fit(paths: Sequence[Path], root: Path, found: Path, *, alone: bool) -> Path:
    missing = [p for p in paths if not (found / p.parent.name / p.name).exists()]
    groups = {(p.parent, p.stem.split("-")[0]) for p in missing}
    wanted = [p for p in paths if (p.parent, p.stem.split("-")[0]) in groups]
    if wanted:
        options = ["--alone"] if alone else []
        command = [sys.executable, "-P", SCRIPT, *options, found, *wanted]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        subprocess.run([str(x) for x in command], cwd=root, env=environment, check=True)
    with np.load(found / "model.npz") as model:
        origin = Path(str(model["origin"]))
    if not origin.is_relative_to(root):
        raise SystemExit(f"{found} was fitted by {origin}, not by {root}; delete it")
    return found


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
