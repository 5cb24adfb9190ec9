"""A small dataset, written as `prepare` would write it."""

import json

import numpy as np
from PIL import Image

from morphface.media.shards import ShardWriter, durable_write, save_index
from morphface.media.shards.folder import (
    FORMAT,
    MANIFEST,
    VERSION,
    manifest_sha256,
    shard_entry,
)

EXTENSIONS = ("frame.png", "params.npy", "json")


def parts(number):
    return {
        "frame.png": bytes([number % 256]) * (3 + 257 * number),
        "params.npy": b"p" * number,
        "json": json.dumps({"number": number}).encode(),
    }


def write_shard(path, samples, extensions=EXTENSIONS):
    """Write samples, (key, parts) each, and their index; the entry of a manifest."""
    with durable_write(path.with_suffix(".tar")) as file:
        writer = ShardWriter(file, extensions)
        for key, content in samples:
            writer.add(key, content)
        index = writer.finish()
    save_index(path.with_suffix(".json"), index)
    return shard_entry(path, index)


def write_manifest(folder, shards, runs, maps=("diffuse",), **more):
    """A manifest with one clip for each list of runs."""
    clips = []
    for number, clip in enumerate(runs):
        count = sum(length for _, length in clip)
        clips.append(
            {
                "source": {"name": f"{number}.mp4", "bytes": 1, "sha256": "0" * 64},
                "samples": count,
                "sequences": [{"person": 0, "runs": clip}],
            }
        )
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "shards": shards,
        "clips": clips,
        "windows": {"offsets": [-2, -1, 0], "padding": "replicate", "maps": list(maps)},
    } | more
    manifest |= {"sha256": manifest_sha256(manifest)}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return manifest


def small_folder(folder, sizes=(3, 4)):
    """A dataset of shards of so many samples, all of one run."""
    shards, first = [], 0
    for number, size in enumerate(sizes):
        content = [(f"ab_{k:06d}", parts(k)) for k in range(first, first + size)]
        shards.append(write_shard(folder / f"shard-{number:06d}", content))
        first += size
    write_manifest(folder, shards, [[[0, first]]])
    return folder


def flip(path, at):
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def png(path, values):
    Image.fromarray(np.asarray(values, dtype=np.uint8)).save(path, "PNG")
