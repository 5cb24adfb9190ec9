"""Values come in order, a few are ahead, and what goes wrong is told in its turn."""

import threading

import pytest

from morphface.core.lookahead import computed_ahead


def test_values_come_in_the_order_of_what_was_given():
    assert list(computed_ahead(lambda n: n * n, range(20))) == [n * n for n in range(20)]
    assert list(computed_ahead(abs, [])) == []


def test_the_first_is_computed_before_any_other_begins():
    seen, alone = [], threading.Event()

    def note(number):
        if number:
            assert alone.is_set()
        seen.append(number)
        return number

    values = computed_ahead(note, range(4))
    assert next(values) == 0
    assert seen == [0]
    alone.set()
    assert list(values) == [1, 2, 3]


def test_no_more_is_taken_than_is_computed_ahead():
    taken = []
    values = computed_ahead(abs, (taken.append(n) or n for n in range(50)), threads=2)
    for _ in range(3):
        next(values)
    assert len(taken) <= 3 + 2
    values.close()


def test_two_are_computed_at_a_time():
    both = threading.Barrier(2, timeout=20)
    assert list(computed_ahead(lambda n: n and both.wait() * 0 + n, range(5))) == [0, 1, 2, 3, 4]


def test_an_error_is_raised_where_its_value_would_come():
    values = computed_ahead(lambda n: 6 // (3 - n), range(5))
    assert [next(values) for _ in range(3)] == [2, 3, 6]
    with pytest.raises(ZeroDivisionError):
        next(values)
