import json

import numpy as np
import pytest
import torch
import trimesh

from morphface.core.errors import ParameterError
from morphface.exchange import write_maps, write_meshes
from morphface.models import load_model
from morphface.render.maps import render_maps
from tests.exchange.clips import clip_of


@pytest.mark.parametrize("ending", ["obj", "ply"])
def test_meshes_have_one_order_of_vertices_and_poses_bring_them_before_the_camera(
    tmp_path, toy, ending
):
    clip = clip_of(toy)
    write_meshes(tmp_path, clip, ending)
    poses = json.loads((tmp_path / "poses.json").read_text())["frames"]
    assert [pose["seen"] for pose in poses] == [True, False, True, True]
    assert [pose["time"] for pose in poses] == clip.times.tolist()
    for frame, pose in enumerate(poses):
        assert pose["file"] == f"frame_{frame:05d}.{ending}"
        mesh = trimesh.load(tmp_path / pose["file"], process=False)
        assert np.array_equal(mesh.faces, toy.faces)
        np.testing.assert_allclose(mesh.vertices, clip.vertices(frame), atol=1e-3)
        placed = trimesh.transform_points(mesh.vertices, pose["head_to_camera"])
        np.testing.assert_allclose(placed, clip.vertices_in_camera(frame), atol=1e-2)


def test_stacks_of_maps_are_the_maps(tmp_path):
    clip = clip_of(load_model(), frames=5)
    write_maps(tmp_path, clip, ("normal", "mask"))
    drawn = render_maps(clip.model, clip.parameters, clip.camera, ("normal", "mask"))
    for name in drawn.names:
        stack = np.load(tmp_path / f"{name}.npy")
        assert stack.dtype == np.float32
        assert torch.equal(torch.from_numpy(stack), drawn[name])
    about = json.loads((tmp_path / "maps.json").read_text())
    assert about == {"maps": ["normal", "mask"], "axes": "T H W C", "times": clip.times.tolist()}


@pytest.mark.refusal
def test_an_unknown_ending_is_refused(tmp_path, toy):
    with pytest.raises(ParameterError, match="ending must be one of obj, ply, got 'stl'"):
        write_meshes(tmp_path, clip_of(toy), "stl")
