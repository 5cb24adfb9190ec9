import threading
import time

import pytest

from morphface.pipelines.tracking.behind import Behind


def test_all_items_are_worked_on_in_order_by_another_thread():
    done, threads = [], set()

    def work(item):
        threads.add(threading.get_ident())
        done.append(item)

    with Behind(work, depth=2) as behind:
        for item in range(50):
            behind.put(item)
    assert done == list(range(50))
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("count", [1, 50])
def test_what_the_work_raises_is_raised_where_it_was_ordered(count):
    def work(item):
        raise OSError(f"no room for {item}")

    def order():
        with Behind(work, depth=2) as behind:
            for item in range(count):
                behind.put(item)

    with pytest.raises(OSError, match="no room for 0"):
        order()


def test_a_block_that_fails_does_not_wait_for_the_rest():
    done = []

    def work(item):
        time.sleep(0.05)
        done.append(item)

    def order():
        with Behind(work, depth=8) as behind:
            for item in range(8):
                behind.put(item)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        order()
    assert len(done) < 4
