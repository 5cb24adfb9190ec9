"""What was asked for last is kept; more is not, and nothing goes to other processes."""

import pickle

from morphface.core.kept import Kept


def test_a_value_is_made_once_while_it_is_among_the_last_that_were_asked_for():
    made, kept = [], Kept(2)

    def ask(key):
        return kept.get(key, lambda: made.append(key) or key * 10)

    assert [ask(1), ask(2), ask(1), ask(3), ask(1)] == [10, 20, 10, 30, 10]
    assert made == [1, 2, 3]
    assert ask(2) == 20
    assert made == [1, 2, 3, 2]


def test_a_pickled_copy_keeps_nothing_but_its_limit():
    kept = Kept(1)
    kept.get("a", lambda: object)
    copy = pickle.loads(pickle.dumps(kept))
    assert copy.get("a", lambda: 5) == 5
    assert copy.get("b", lambda: 6) == 6
    assert copy.get("a", lambda: 7) == 7
