"""The 3D view, without a browser."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pygltflib
import pytest
import torch

from morphface.core.errors import MorphfaceError, ParameterError
from morphface.geometry.mesh import vertex_normals
from morphface.media.meshes import Surface, encode_gltf, write_gltf
from tests.ui.browser import need

STATIC = Path(__file__).parents[2] / "morphface" / "ui" / "static"


@pytest.fixture
def head(toy):
    """An egg with four ways to move, one of them half way."""
    directions = dict(zip(toy.expression.names, toy.expression.directions, strict=True))
    mean = toy.identity.mean
    normals = vertex_normals(mean, toy.faces)
    return Surface(mean, toy.faces, normals=normals, targets=directions, weights={"move1": 0.5})


@pytest.fixture
def show():
    need("anywidget")
    from morphface.ui import HeadViewer

    return HeadViewer


def test_a_head_opens_in_its_own_expression(show, head):
    viewer = show(head)
    assert viewer.weights == {"move0": 0.0, "move1": 0.5, "move2": 0.0, "move3": 0.0}
    assert viewer._glb == encode_gltf(head, target_normals=False)


def test_a_head_without_normals_gets_them_so_that_it_looks_smooth(show, head):
    assert show(replace(head, normals=None))._glb == encode_gltf(head, target_normals=False)


def test_weights_that_are_left_out_rest(show, head):
    viewer = show(head)
    viewer.weights = {"move2": 1}
    assert viewer.weights == {"move0": 0.0, "move1": 0.0, "move2": 1.0, "move3": 0.0}
    viewer.weights = viewer.weights | {"move3": 0.25}
    assert viewer.surface.weights == {"move0": 0.0, "move1": 0.0, "move2": 1.0, "move3": 0.25}


def test_what_a_page_sends_is_heard(show, head):
    viewer = show(head)
    viewer.set_state({"weights": {"move0": 0.75}, "wireframe": True})
    assert viewer.weights["move0"] == 0.75
    assert viewer.wireframe


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"mov2": 1.0}, "no expression is called 'mov2': did you mean move2"),
        ({"move2": 1.5}, "move2 must be a number from 0 to 1, got 1.5"),
        ({"move2": float("nan")}, "move2 must be a number from 0 to 1, got nan"),
        ({"move2": "much"}, "move2 must be a number from 0 to 1, got 'much'"),
    ],
)
def test_weights_that_cannot_be_are_refused_and_nothing_moves(show, head, weights, words):
    viewer = show(head)
    with pytest.raises(ParameterError, match=re.escape(words)):
        viewer.weights = weights
    assert viewer.weights["move1"] == 0.5


@pytest.mark.refusal
def test_a_single_weight_cannot_be_set_behind_the_view_s_back(show, head):
    viewer = show(head)
    way_out = "write: viewer.weights = viewer.weights | {'move2': 1.0}"
    with pytest.raises(ParameterError, match=re.escape(way_out)):
        viewer.weights["move2"] = 1.0


@pytest.mark.refusal
def test_what_is_no_head_is_refused(show):
    with pytest.raises(ParameterError, match="head must be a picture's path, .* got int"):
        show(3)


@pytest.mark.refusal
def test_a_picture_that_is_not_there_is_refused(show, tmp_path):
    with pytest.raises(MorphfaceError, match=re.escape("none.jpg")):
        show(tmp_path / "none.jpg")


@pytest.mark.refusal
def test_a_face_needs_its_photo_and_must_be_there(show, astronaut):
    with pytest.raises(ParameterError, match="a single face needs its photo"):
        show(astronaut.faces[0])
    with pytest.raises(ParameterError, match="face must be from 0 to 0, the photo's faces, got 1"):
        show(astronaut, face=1)


def test_a_fitted_photo_shows_its_rig_with_the_model_s_expressions(show, astronaut, rig):
    viewer = show(astronaut)
    names = astronaut.faces[0].model.expression.names
    assert [target["name"] for target in viewer._targets] == list(names)
    fitted = torch.tensor([viewer.weights[name] for name in names])
    torch.testing.assert_close(fitted, astronaut.faces[0].parameters.expression[0])
    torch.testing.assert_close(viewer.surface.vertices, rig.vertices)


def test_a_basis_without_bounds_gets_sliders_of_three_deviations(toy):
    need("anywidget")
    from dataclasses import replace

    from morphface.ui.viewer import _bounds

    endless = torch.tensor([[-torch.inf, torch.inf]]).repeat(4, 1)
    bounds = _bounds(replace(toy.expression, bounds=endless))
    assert bounds[0] == ("move0", -3.0, 3.0)


def test_the_saved_head_has_the_weights_of_the_sliders(show, head, tmp_path):
    viewer = show(head)
    viewer.weights = {"move3": 0.5}
    file = viewer.head(tmp_path / "head.glb")
    mesh = pygltflib.GLTF2().load(f"{file}").meshes[0]
    weights = dict(zip(mesh.extras["targetNames"], mesh.weights, strict=True))
    assert weights == {"move0": 0.0, "move1": 0.0, "move2": 0.0, "move3": 0.5}


def test_bytes_and_file_of_a_head_are_the_same(head, tmp_path):
    write_gltf(tmp_path / "head.glb", head)
    assert (tmp_path / "head.glb").read_bytes() == encode_gltf(head)


def test_a_page_holds_the_head_and_its_state_and_names_no_address(show, head, tmp_path):
    viewer = show(head)
    viewer.light, viewer.textured = 30.0, False
    page = viewer.to_html(tmp_path / "a" / "head.html", title="<b>&").read_text(encoding="utf-8")
    assert "<title>&lt;b>&amp; · morphface</title>" in page
    assert "src=" not in page.split("<script>")[0]
    values = json.loads(re.search(r'querySelector\("main"\), (\{.*\})\);', page).group(1))
    assert base64.b64decode(values.pop("_glb")) == viewer._glb
    assert values["light"] == 30.0
    assert values["textured"] is False
    assert values["weights"] == viewer.weights


def test_a_name_cannot_end_the_script_of_a_page(show, toy, tmp_path):
    evil = "</script><script>alert(1)</script>"
    head = Surface(toy.identity.mean, toy.faces, targets={evil: toy.expression.directions[0]})
    page = show(head).to_html(tmp_path / "head.html").read_text(encoding="utf-8")
    assert evil not in page


def test_the_bundle_is_small_carries_its_licence_and_cannot_end_a_script():
    bundle = (STATIC / "viewer.js").read_text(encoding="utf-8")
    assert len(bundle) < 800_000
    assert "three.js authors" in bundle[:300]
    assert "Permission is hereby granted" in bundle[:400]
    assert "</script" not in bundle
    assert "<!--" not in bundle


def test_the_bundle_is_the_one_that_was_written_down():
    readme = Path(__file__).parents[2] / "assets" / "viewer" / "README.md"
    digest = hashlib.sha256((STATIC / "viewer.js").read_bytes()).hexdigest()
    assert f"`{digest}`" in readme.read_text(encoding="utf-8")
