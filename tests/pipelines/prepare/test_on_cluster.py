"""What runs on a Ray cluster: single tasks, and a dataset. One cluster serves all, as each takes
long to start.
"""

import pytest

from morphface.core.errors import OutputError
from morphface.core.tasks.cluster import Cluster
from morphface.core.tasks.task import Died, Finished, Raised, Task
from morphface.pipelines.prepare import PrepareSettings, prepare
from tests.core.tasks import chores
from tests.pipelines.prepare import standin
from tests.pipelines.prepare.conftest import contents


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


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_it_makes_the_same_dataset_as_one_process(make, clips, tmp_path):
    make()
    settings = PrepareSettings(shard_size="10")
    prepare([clips], tmp_path / "ray", settings, workers=2, ray="local", work=standin.work)
    assert contents(tmp_path / "ray") == contents(tmp_path / "out")
