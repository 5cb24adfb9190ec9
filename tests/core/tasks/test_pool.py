import gc
import os
import signal
import subprocess
import sys
import time

import pytest

from morphface.core.errors import OutputError
from morphface.core.garbage import YOUNG
from morphface.core.tasks.pool import Pool
from morphface.core.tasks.task import Died, Finished, Raised, Task, Told
from tests.core.tasks import chores

PARENT = """
import sys
from morphface.core.tasks.pool import Pool
from morphface.core.tasks.task import Task
from tests.core.tasks import chores
if __name__ == "__main__":
    pool = Pool(1)
    pool.submit(Task("sleep", chores.sleep, (sys.argv[1],)))
    list(pool.events())
"""


@pytest.fixture(scope="module")
def pool():
    pool = Pool(2)
    yield pool
    pool.close()


def events(pool, *tasks):
    """What happens to tasks, by their names."""
    for name, function, *arguments in tasks:
        pool.submit(Task(name, function, tuple(arguments)))
    return {(type(event), event.task.name): event for event in pool.events()}


def test_results_and_progress_come_back_and_a_process_has_one_thread(pool):
    tasks = [(str(k), chores.double, k) for k in range(5)]
    found = events(pool, *tasks, ("threads", chores.threads), ("young", chores.young))
    assert {k: found[Finished, str(k)].value for k in range(5)} == {k: 2 * k for k in range(5)}
    assert found[Told, "3"].frames == 3
    assert found[Finished, "threads"].value == 1
    assert found[Finished, "young"].value == YOUNG > gc.get_threshold()[0]
    assert "OMP_NUM_THREADS" not in os.environ or os.environ["OMP_NUM_THREADS"]


def test_a_task_whose_process_dies_is_begun_once_more_and_no_other_is_lost(pool, tmp_path):
    found = events(
        pool,
        ("once", chores.die, str(tmp_path / "once"), False),
        ("always", chores.die, str(tmp_path / "always"), True),
        ("exit", chores.leave, 7),
        *((str(k), chores.double, k) for k in range(4)),
    )
    assert found[Finished, "once"].value == "alive"
    assert "was killed, perhaps because memory ran out" in found[Died, "always"].reason
    assert found[Died, "exit"].reason == "its process ended with code 7"
    assert [found[Finished, str(k)].value for k in range(4)] == [0, 2, 4, 6]


def test_errors_come_back_and_the_process_goes_on(pool):
    found = events(pool, ("no", chores.refuse), ("oh", chores.blunder), ("2", chores.double, 2))
    assert isinstance(found[Raised, "no"].error, OutputError)
    assert str(found[Raised, "oh"].error) == "ZeroDivisionError in oh: oh"
    assert found[Finished, "2"].value == 4


def test_short_work_needs_no_process(tmp_path):
    pool = Pool(2)
    for k in range(5):
        (tmp_path / str(k)).write_bytes(bytes(k))
    assert list(pool.each(chores.length, sorted(tmp_path.iterdir()))) == [0, 1, 2, 3, 4]
    assert pool._workers == []


def test_processes_end_with_the_one_that_started_them(tmp_path):
    script, mark = tmp_path / "parent.py", tmp_path / "mark"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(script), str(mark)], env=environment())
    wait_for(lambda: mark.exists() and mark.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not alive(int(mark.read_text())))


def environment():
    return os.environ | {"PYTHONPATH": os.getcwd()}


def wait_for(condition, seconds=45):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
