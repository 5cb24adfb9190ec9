from threading import Thread

import torch

from morphface.core.threads import one_torch_thread, threaded_as_here


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
