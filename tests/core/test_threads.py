from threading import Thread, current_thread

import torch

from morphface.core.threads import beside, one_torch_thread, threaded_as_here


def counted(function):
    """How many threads torch has where a new thread calls a function."""
    found = []
    worker = Thread(target=lambda: function(found.append))
    worker.start()
    worker.join()
    return found


def told(append):
    append(torch.get_num_threads())


def test_another_thread_has_as_many_threads_of_torch_as_the_one_that_asks():
    usual = torch.get_num_threads()
    function = threaded_as_here(told)
    with one_torch_thread():
        assert counted(function) == [usual]
        assert counted(threaded_as_here(told)) == [1]
    assert torch.get_num_threads() == usual


def test_what_is_computed_beside_is_done_at_the_end_by_another_thread_and_each_has_one():
    usual, found = torch.get_num_threads(), []
    torch.set_num_threads(2)
    try:
        with beside(lambda: found.append((current_thread(), torch.get_num_threads()))):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        ((thread, threads),) = found
        assert thread is not current_thread()
        assert threads == 1
    finally:
        torch.set_num_threads(usual)


def test_on_one_thread_nothing_is_computed_beside():
    found = []
    with one_torch_thread(), beside(lambda: found.append(1)):
        pass
    assert not found
