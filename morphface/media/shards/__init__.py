"""Training samples in tar files that the library `webdataset` and any other tar reader opens.

`tar` writes and reads one shard, `index` knows where its samples lie, `folder` is a dataset of
shards with a manifest. `morphface.pipelines.prepare` makes such datasets.
"""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
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

_HOMES = {
    "ShardFolder": "folder",
    "ShardIndex": "index",
    "ShardWriter": "tar",
    "durable_write": "durable",
    "file_sha256": "durable",
    "load_index": "index",
    "open_shards": "folder",
    "read_shard": "tar",
    "remove_fragments": "durable",
    "save_index": "index",
    "scan_shard": "tar",
}

__getattr__ = lazy_names(__name__, _HOMES)
