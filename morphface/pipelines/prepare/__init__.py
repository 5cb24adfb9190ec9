"""Clips in, shards of training samples out: resumable, reproducible, on processes or a cluster.

`dataset` plans and wires; `work` is what is done with one clip, `unit` how that is written,
`packing` how units become shards, `run` the order of all, `pool` and `cluster` where it happens.
"""

from morphface.pipelines.prepare.dataset import Prepared, prepare
from morphface.pipelines.prepare.run import State
from morphface.pipelines.prepare.settings import PrepareSettings, ShardSize

__all__ = ["PrepareSettings", "Prepared", "ShardSize", "State", "prepare"]
