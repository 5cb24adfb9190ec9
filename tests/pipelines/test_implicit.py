import json
from functools import partial

import pygltflib
import pytest
import torch
import trimesh

from morphface.cli import run
from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.generate import make_generator, save_generator
from morphface.media.meshes import write_gltf
from morphface.pipelines import reconstruct
from morphface.pipelines.head_files import rigged_head
from morphface.pipelines.implicit import (
    describe_implicit,
    open_implicit,
    train_implicit,
    with_implicit,
    write_implicit,
)
from morphface.rerender import implicit_head
from tests.data import needs_detector
from tests.rerender.test_implicit import around_mesh


@pytest.fixture(scope="module")
def found(known):
    return implicit_head(known.faces[0], known.photo, around_mesh(), resolution=64)


@pytest.fixture(scope="module")
def rig(known):
    return rigged_head(known.faces[0], known.photo)


def test_the_rig_has_a_second_part_that_follows_it(found, rig):
    both = with_implicit(rig, found)
    size = len(rig.vertices)
    own = torch.unique(found.beyond())
    torch.testing.assert_close(both.vertices[size:], found.moved(rig.vertices)[own])
    assert set(both.parts) == {*rig.parts, "implicit"}
    jaw = both.targets["jawOpen"][size:]
    wanted = found.bound.carried(rig.targets["jawOpen"])[own]
    torch.testing.assert_close(jaw, wanted)
    weights = both.skeleton.weights[size:]
    torch.testing.assert_close(weights.sum(-1), torch.ones(len(own)))


def test_the_pose_at_its_weights_is_the_fitted_one(found, rig):
    both, own = with_implicit(rig, found), torch.unique(found.beyond())
    moved = sum(weight * both.targets[name] for name, weight in both.weights.items())
    shown = (both.vertices + moved)[len(rig.vertices) :]
    torch.testing.assert_close(shown, found.vertices[own], atol=0.05, rtol=0)


def test_in_the_file_it_is_a_primitive_with_colours_and_no_texture(found, rig, tmp_path):
    write_gltf(tmp_path / "head.glb", with_implicit(rig, found))
    document = pygltflib.GLTF2().load(tmp_path / "head.glb")
    last = document.meshes[0].primitives[-1]
    material = document.materials[last.material]
    assert material.name == "implicit"
    assert material.pbrMetallicRoughness.baseColorTexture is None
    assert last.attributes.COLOR_0 is not None
    assert last.attributes.TEXCOORD_0 is None
    assert len(last.targets) == len(rig.targets)
    first = document.materials[document.meshes[0].primitives[0].material]
    assert first.pbrMetallicRoughness.baseColorTexture is not None


def test_the_closed_surface_is_written_with_its_colours(found, tmp_path):
    write_implicit(tmp_path, found)
    read = trimesh.load(tmp_path / "implicit.ply", process=False)
    assert read.is_watertight
    assert read.volume > 0
    colours = torch.from_numpy(read.visual.vertex_colors[:, :3].copy()).float() / 255
    torch.testing.assert_close(colours, found.colours, atol=0.003, rtol=0)
    assert describe_implicit(found)["implicit"]["faces"] == len(read.faces)


def test_a_fit_writes_it_and_says_so(tmp_path, monkeypatch):
    needs_detector()
    from morphface.pipelines.implicit import run

    save_generator(tmp_path / "generator.safetensors", around_mesh())
    monkeypatch.setattr(run, "load_generator", lambda _: around_mesh())
    coarse = partial(implicit_head, resolution=32)
    monkeypatch.setattr("morphface.rerender.implicit_head", coarse)
    out = tmp_path / "out"
    reconstruct("sample:astronaut", out, stage="linear", implicit=tmp_path, only=("report", "glb"))
    told = json.loads((out / "report.json").read_text())["faces"][0]["implicit"]
    assert told["file"] == "implicit.ply"
    assert (out / "implicit.ply").is_file()
    document = pygltflib.GLTF2().load(out / "head.glb")
    assert [one.name for one in document.materials][-1] == "implicit"


def test_people_are_learnt_from_without_a_dataset(tmp_path):
    from morphface.generate.training import USUAL_SETTINGS

    settings = USUAL_SETTINGS["implicit"].replace(steps=2, batch=1, points=100, vgg=0.0)
    options = {"resolution": 32, "width": 8, "stacks": 1}
    told = train_implicit(tmp_path / "run", settings=settings, validated=2, **options)
    assert set(told) == {"validation_iou", "validation_right"}
    assert open_implicit(tmp_path / "run").config.kind == "implicit"


def test_the_command_passes_on_what_is_wished(tmp_path, monkeypatch, capsys):
    asked = {}

    def train(out, **options):
        asked.update(options, out=out)
        return {"validation_iou": 0.5}

    monkeypatch.setattr("morphface.pipelines.train_implicit", train)
    words = ["--steps", "7", "--width", "16", "--workers", "2", "--start", str(tmp_path)]
    assert run(["train", "implicit", "-o", str(tmp_path / "run"), *words]) == 0
    assert (asked["settings"].steps, asked["settings"].rate, asked["width"]) == (7, 1e-3, 16)
    assert asked["how"] == {"resume": False, "force": False, "workers": 2}
    assert (asked["start"], asked["out"]) == (tmp_path, tmp_path / "run")
    assert "validation_iou 0.5" in capsys.readouterr().err


@pytest.mark.refusal
def test_a_dataset_is_refused(tmp_path, capsys):
    with pytest.raises(ParameterError, match="implicit learns from rendered people, whose"):
        train_implicit(tmp_path / "run", dataset=tmp_path)
    code = run(["train", "implicit", str(tmp_path), "-o", str(tmp_path / "run")])
    assert code == 2
    assert "leave DATASET out" in capsys.readouterr().err


@pytest.mark.refusal
def test_another_generator_is_refused(tmp_path):
    save_generator(tmp_path / "generator.safetensors", make_generator("conr", width=4))
    with pytest.raises(ModelError, match="holds a conr generator; --implicit needs a run of"):
        open_implicit(tmp_path)


@pytest.mark.refusal
def test_a_run_that_is_not_there_is_refused(tmp_path, capsys):
    with pytest.raises(MissingFileError, match=r"there is no generator at .*nowhere; name the"):
        open_implicit(tmp_path / "nowhere")
    code = run(["fit", "sample:astronaut", "--implicit", str(tmp_path / "nowhere")])
    assert code == 2
    assert "there is no generator at" in capsys.readouterr().err


@pytest.mark.refusal
def test_several_photos_together_have_no_implicit_head(tmp_path, capsys):
    words = ["fit", "a.jpg", "b.jpg", "--together", "--implicit", str(tmp_path)]
    assert run(words) == 2
    assert "--implicit cannot go with --together" in capsys.readouterr().err
