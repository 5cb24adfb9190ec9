"""Clusters that are not there; what one does is tested where a dataset needs one."""

import pytest

from morphface.core.errors import BackendError, MissingDependencyError
from morphface.core.tasks.cluster import Cluster


@pytest.mark.refusal
@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_named():
    pytest.importorskip("ray", reason="pip install 'morphface[cluster]'")
    with pytest.raises(BackendError, match="there is no Ray cluster at '127.0.0.1:1'; start one"):
        Cluster("127.0.0.1:1", 1)


@pytest.mark.refusal
def test_a_cluster_without_ray_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'morphface\[cluster\]', or"):
        Cluster("local", 1)
