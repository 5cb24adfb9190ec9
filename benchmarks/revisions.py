"""Fits of stored pictures by the code and model of this checkout, or of another revision."""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Fits"]

ROOT = Path(__file__).parents[1]
SCRIPT = Path(__file__).with_name("fit_shots.py")


@dataclass(frozen=True)
class Fits:
    """How stored pictures are fitted.

    Args:
        cache: fits go to its folder `fits`.
        jobs: how many processes share the pictures.
        alone: fit no pictures together.
    """

    cache: Path
    jobs: int = 1
    alone: bool = False

    def now(self, paths: Sequence[Path], *, keep: bool = False) -> Path:
        """The folder where this checkout's fits of these pictures are.

        Args:
            paths: of the pictures.
            keep: take fits that are there, made by whatever code.
        """
        found = self.cache / "fits" / "now"
        for name in {path.parent.name for path in paths if not keep}:
            shutil.rmtree(found / name, ignore_errors=True)
        return self._fit(paths, ROOT, found)

    def before(self, paths: Sequence[Path], revision: str) -> Path:
        """The folder where a git revision's fits of these pictures are; they are kept."""
        commit = _git("rev-parse", "--short=12", f"{revision}^{{commit}}").decode().strip()
        root = self.cache / "revisions" / commit
        if not root.exists():
            part = root.with_suffix(".part")
            part.mkdir(parents=True, exist_ok=True)
            tree = _git("archive", commit, "morphface")
            subprocess.run(["tar", "-x", "-C", str(part)], input=tree, check=True)
            part.rename(root)
        return self._fit(paths, root, self.cache / "fits" / commit)

    def _fit(self, paths: Sequence[Path], root: Path, found: Path) -> Path:
        groups = defaultdict(list)
        for path in paths:
            groups[path.parent, path.stem.split("-")[0]].append(path)
        missing = [g for g in groups.values() if not all(_stored(found, path) for path in g)]
        shares = [missing[k :: self.jobs] for k in range(self.jobs)]
        running = [self._start([p for g in share for p in g], root, found) for share in shares]
        if any([process.wait() for process in running if process]):
            raise SystemExit(f"a fit by {root} failed")
        with np.load(found / "model.npz") as model:
            origin = Path(str(model["origin"]))
        if not origin.is_relative_to(root.resolve()):
            raise SystemExit(f"{found} was fitted by {origin}, not by {root}; delete it")
        return found

    def _start(
        self, paths: Sequence[Path], root: Path, found: Path
    ) -> subprocess.Popen[bytes] | None:
        if not paths:
            return None
        options = ["--alone"] if self.alone else []
        command = [sys.executable, "-P", SCRIPT, *options, found.resolve()]
        command += [path.resolve() for path in paths]
        environment = {**os.environ, "PYTHONPATH": str(root.resolve())}
        return subprocess.Popen([str(x) for x in command], cwd=root, env=environment)


def _stored(found: Path, path: Path) -> bool:
    return (found / path.parent.name / path.name).exists()


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
