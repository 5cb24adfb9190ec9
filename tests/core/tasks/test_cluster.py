import pytest

from morphface.core.errors import BackendError, MissingDependencyError, OutputError
from morphface.core.tasks.cluster import Cluster
from morphface.core.tasks.task import Died, Finished, Raised, Task
from tests.core.tasks import chores


@pytest.mark.refusal
@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_named():
    pytest.importorskip("ray", reason="pip install 'morphface[cluster]'")
    with pytest.raises(BackendError, match="there is no Ray cluster at '127.0.0.1:1'; start one"):
        Cluster("127.0.0.1:1", 1)


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two cores on this machine, which tests share."""
    pytest.importorskip("ray", reason="pip install 'morphface[cluster]'")
    cluster = Cluster("local", 2)
    yield cluster
    cluster.close()


@pytest.mark.slow
def test_tasks_run_on_a_cluster_and_those_that_die_are_begun_once_more(cluster, tmp_path):
    tasks = [
        ("once", chores.die, str(tmp_path / "once"), False),
        ("exit", chores.leave, 7),
        ("no", chores.refuse),
        ("oh", chores.blunder),
        ("threads", chores.threads),
        *((str(k), chores.double, k) for k in range(4)),
    ]
    for name, function, *arguments in tasks:
        cluster.submit(Task(name, function, tuple(arguments)))
    found = {(type(event), event.task.name): event for event in cluster.events()}
    assert found[Finished, "once"].value == "alive"
    assert "its process on the cluster ended" in found[Died, "exit"].reason
    assert isinstance(found[Raised, "no"].error, OutputError)
    assert str(found[Raised, "oh"].error) == "ZeroDivisionError in oh: oh"
    assert found[Finished, "threads"].value == 1
    assert [found[Finished, str(k)].value for k in range(4)] == [0, 2, 4, 6]
    for k in range(5):
        (tmp_path / f"file{k}").write_bytes(bytes(k))
    assert list(cluster.each(chores.length, sorted(tmp_path.glob("file*")))) == [0, 1, 2, 3, 4]


@pytest.mark.refusal
def test_a_cluster_without_ray_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'morphface\[cluster\]', or"):
        Cluster("local", 1)
