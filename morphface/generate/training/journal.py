"""What a run writes about itself: losses as lines of JSON, curves as a picture, TensorBoard."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from morphface.media.images import write_image

__all__ = ["Journal", "read_journal"]

_LINES = "losses.jsonl"
_HELD = 20


class Journal:
    """Losses and validations of a run, step by step.

    Args:
        run: the folder of the run.
        step: where the run goes on; what was written of later steps is forgotten.
    """

    def __init__(self, run: Path, step: int = 0) -> None:
        self._run = run
        self._held: list[tuple[int, Mapping[str, Tensor | float]]] = []
        kept = [entry for entry in read_journal(run) if entry["step"] <= step]
        self._file = (run / _LINES).open("w", encoding="utf-8")
        self._file.writelines(json.dumps(entry) + "\n" for entry in kept)
        self._board: Any = None
        if find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(run / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, values: Mapping[str, Tensor | float]) -> None:
        """Note the values of a step; a GPU is not made to wait for each of them.

        Args:
            step: from 1.
            values: numbers by name.
        """
        self._held.append((step, values))
        if len(self._held) >= _HELD:
            self.flush()

    def picture(self, step: int, image: Float[Tensor, "H W 3"]) -> None:
        """Keep a sample picture.

        Args:
            step: from 1.
            image: RGB in [0, 1].
        """
        folder = self._run / "samples"
        folder.mkdir(exist_ok=True)
        write_image(folder / f"step_{step:06d}.png", image)
        if self._board is not None:
            self._board.add_image("samples", image.numpy(), step, dataformats="HWC")

    def flush(self) -> None:
        """Write what is held."""
        for step, values in self._held:
            numbers = {name: round(float(value), 6) for name, value in values.items()}
            self._file.write(json.dumps({"step": step, **numbers}) + "\n")
            if self._board is not None:
                for name, value in numbers.items():
                    self._board.add_scalar(name, value, step)
        self._held.clear()
        self._file.flush()

    def close(self) -> None:
        """Write what is held, and the curves."""
        self.flush()
        self._file.close()
        if self._board is not None:
            self._board.close()
        draw_curves(self._run)


def read_journal(run: Path) -> list[dict[str, float]]:
    """The entries of a run, one a line; a last line that was cut off is left out.

    Args:
        run: the folder of the run.
    """
    if not (run / _LINES).is_file():
        return []
    entries = []
    for line in (run / _LINES).read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            break
    return entries


def draw_curves(run: Path) -> None:
    """Draw `curves.png`, if matplotlib is there: every loss and metric over the steps.

    Args:
        run: the folder of the run.
    """
    entries = read_journal(run)
    names = sorted({name for entry in entries for name in entry} - {"step"})
    if not names or not find_spec("matplotlib"):
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(names), 2.8), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        points = [(entry["step"], entry[name]) for entry in entries if name in entry]
        axes.plot(*zip(*points, strict=True), linewidth=0.8)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=7)
    figure.savefig(run / "curves.png", dpi=100)
