"""Training samples in tar files that the library `webdataset` and any other tar reader opens.

`tar` writes and reads one shard, `index` knows where its samples lie, `folder` is a dataset of
shards with a manifest. `morphface.pipelines.prepare` makes such datasets.
"""

from morphface.media.shards.durable import durable_write, file_sha256, remove_fragments
from morphface.media.shards.folder import ShardFolder, open_shards
from morphface.media.shards.index import ShardIndex, load_index, save_index
from morphface.media.shards.tar import ShardWriter, read_shard, scan_shard

__all__ = [
    "ShardFolder",
    "ShardIndex",
    "ShardWriter",
    "durable_write",
    "file_sha256",
    "load_index",
    "open_shards",
    "read_shard",
    "remove_fragments",
    "save_index",
    "scan_shard",
]
