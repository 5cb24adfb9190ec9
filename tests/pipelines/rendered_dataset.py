"""A dataset of a rendered clip: a head turns and talks before a wall; its maps are beside it."""

import io
import json
import math

import numpy as np
import torch

from morphface.geometry.camera import Camera
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.parameters.upgrade import REVISIONS
from morphface.render.maps import CHANNELS, DVP, render_maps
from morphface.render.maps.files import encode_png
from tests.media.shards.samples import write_manifest, write_shard


def talking(frames):
    """Parameters of a head that turns, talks and looks about."""
    model = load_model()
    time = torch.linspace(0, 2 * math.pi, frames)
    face = FaceParameters.neutral(frames=frames)
    face.expression[:, model.expression.names.index("jawOpen")] = 0.4 - 0.4 * torch.cos(3 * time)
    face.rotation[:, 1] = 0.35 * torch.sin(time)
    face.gaze[:, :, 0] = 0.3 * torch.sin(2 * time)[:, None]
    face.illumination[:, 0] = 2.0
    return model, face


def facts(face, camera, k):
    """The parts of a sample that are no pictures."""
    stream = io.BytesIO()
    np.save(stream, face[k].to_vector()[0].numpy())
    lens = {"focal": float(camera.focal), "principal": camera.principal.tolist()}
    square = {"left": 10.0, "top": 4.0, "side": float(camera.size[0])}
    told = {"frame": k, "time": k / 25, "state": "tracked", "crop": square, "camera": lens}
    return {"params.npy": stream.getvalue(), "json": json.dumps(told).encode()}


def rendered_dataset(folder, *, frames=24, side=32, maps=DVP, revision=REVISIONS["open-head"]):
    """Write the dataset; its frames are the face in warm light before a blue wall.

    One that was written before there were revisions says none.
    """
    model, face = talking(frames)
    camera = Camera.facing((side, side), focal=2.2 * side)
    made = render_maps(model, face, camera, (*DVP, "mask", "parsing"))
    wall = torch.linspace(0.2, 0.8, side)[:, None] * torch.tensor([0.3, 0.5, 1.0])
    frame = made["diffuse"] * torch.tensor([1.0, 0.8, 0.7]) + (1 - made["mask"]) * wall
    pictures = {name: made[name] for name in maps} | {"frame": frame.clamp(0, 1)}
    samples = [
        (
            f"clip_{k:06d}",
            {
                f"{name}.png": encode_png(name if name in CHANNELS else "diffuse", values[k])
                for name, values in pictures.items()
            }
            | facts(face, camera, k),
        )
        for k in range(frames)
    ]
    shard = write_shard(folder / "shard-000000", samples, tuple(samples[0][1]))
    channels = {name: CHANNELS[name] for name in maps}
    windows = {"offsets": [-1, 0], "padding": "replicate", "maps": list(maps), "channels": channels}
    more = {"windows": windows, "settings": {"size": side, "model": "open-head"}}
    if revision is not None:
        more["versions"] = {"model_revision": str(revision)}
    return write_manifest(folder, [shard], [[[0, frames]]], maps, **more)
