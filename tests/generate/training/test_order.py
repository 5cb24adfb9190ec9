import pytest

from morphface.core.errors import ParameterError
from morphface.generate.training.order import BatchOrder


def test_every_round_has_every_window_once():
    order = list(BatchOrder(12, 4, seed=1, steps=6))
    first, second = sum(order[:3], []), sum(order[3:], [])
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second


def test_a_later_start_sees_what_it_would_have_seen():
    whole = list(BatchOrder(7, 4, seed=1, steps=9))
    assert list(BatchOrder(7, 4, seed=1, start=5, steps=9)) == whole[5:]
    assert len(BatchOrder(7, 4, seed=1, start=5, steps=9)) == 4


def test_processes_share_the_batch_of_one():
    whole = list(BatchOrder(10, 4, seed=3, steps=5))
    parts = [list(BatchOrder(10, 4, seed=3, steps=5, rank=rank, world=2)) for rank in (0, 1)]
    assert [a + b for a, b in zip(*parts, strict=True)] == whole


@pytest.mark.refusal
def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(ParameterError, match="multiple of the number of processes, got 3 for 2"):
        BatchOrder(10, 3, seed=0, steps=1, world=2)
