"""What a step is given: windows of a part of a dataset, with what some losses want besides."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from morphface.core.errors import ParameterError
from morphface.generate.windows import ConditioningWindows

__all__ = ["Samples", "split_in_time"]


class Samples(Dataset[dict[str, Tensor]]):
    """Windows by index, as bytes or values as they come.

    Args:
        windows: of a dataset.
        chosen: which of them; None takes all.
        pairs: add `window_before` and `frame_before`, of the frame before (the same frame at the
            start of a run), for the temporal term.
        mouth: windows of the parsing map alone and the values that are the mouth in it, for the
            mouth term: adds `mouth`, 1 there and 0 elsewhere.
    """

    def __init__(
        self,
        windows: ConditioningWindows,
        chosen: Sequence[int] | None = None,
        *,
        pairs: bool = False,
        mouth: tuple[ConditioningWindows, Sequence[int]] | None = None,
    ) -> None:
        self._windows, self._pairs, self._mouth = windows, pairs, mouth
        self._chosen = range(len(windows)) if chosen is None else chosen
        lengths = windows.runs[:, 1].tolist()
        self._starts = {sum(lengths[:k]) for k in range(len(lengths))}

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """One sample."""
        number = self._chosen[index]
        sample = {name: self._windows[number][name] for name in ("window", "frame")}
        if self._pairs:
            before = self._windows[number if number in self._starts else number - 1]
            sample |= {f"{name}_before": before[name] for name in ("window", "frame")}
        if self._mouth is not None:
            parsing, labels = self._mouth
            found = parsing[number]["window"][-1]
            sample["mouth"] = torch.isin(found, found.new_tensor(labels)).float()
        return sample


def split_in_time(windows: ConditioningWindows, share: float) -> tuple[list[int], list[int]]:
    """Windows to train with and windows to validate with: the last of each run, in time.

    What lies between is left out, so that no validated window has seen a trained frame.

    Args:
        windows: of a dataset.
        share: of each run that is validated, 0 to less than 1.

    Raises:
        ParameterError: the share is none, or leaves nothing to train with.
    """
    if not 0 <= share < 1:
        raise ParameterError(f"the share to validate must be in [0, 1), got {share}")
    train: list[int] = []
    check: list[int] = []
    first = 0
    for count in windows.runs[:, 1].tolist():
        kept = count - round(share * count)
        past, future = (-min(windows.offsets), max(windows.offsets)) if kept < count else (0, 0)
        train += range(first, first + max(kept - future, 0))
        check += range(first + kept + past, first + count)
        first += count
    if not train:
        raise ParameterError(f"nothing is left to train with when {share} is validated")
    return train, check
