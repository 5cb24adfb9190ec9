"""What users may rely on: removing a name here is a deliberate act."""

import ast
import importlib
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
import torch

import morphface

ROOT = Path(__file__).parents[1]
DEEP = ("morphface.pipelines.prepare",)
"""A room within a room, which has a function of its own name."""

PUBLIC = {
    "Camera",
    "FaceEditor",
    "FaceParameters",
    "MorphableModel",
    "__version__",
    "edit",
    "export",
    "fit_photo",
    "fit_photos",
    "fit_video",
    "load_model",
    "load_parameters",
    "read_image",
    "render_maps",
    "save_parameters",
    "transfer",
}
ROOMS = (
    "core",
    "edit",
    "evaluate",
    "exchange",
    "fit",
    "generate",
    "geometry",
    "landmarks",
    "media",
    "models",
    "parameters",
    "pipelines",
    "render",
    "rerender",
    "segment",
    "show",
    "speech",
    "synthetic",
    "ui",
)


def test_the_public_names_are_these():
    assert set(morphface.__all__) == PUBLIC
    assert set(dir(morphface)) >= PUBLIC
    for name in PUBLIC:
        assert getattr(morphface, name) is not None


def test_every_room_is_looked_at():
    found = {path.parent.name for path in ROOT.glob("morphface/*/__init__.py")}
    assert found == {*ROOMS, "cli"}


@pytest.mark.parametrize("room", [*ROOMS, "render.maps"])
def test_every_room_exports_what_it_says(room):
    module = importlib.import_module(f"morphface.{room}")
    assert module.__doc__
    assert module.__all__
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        found = getattr(module, name)
        assert name == "ADVERSARIAL" or not isinstance(found, ModuleType), name
        assert getattr(found, "__name__", name) == name or callable(found), name


@pytest.mark.parametrize("room", ROOMS)
def test_names_that_are_imported_late_are_told_to_type_checkers(room):
    source = (ROOT / "morphface" / room / "__init__.py").read_text(encoding="utf-8")
    homes = getattr(importlib.import_module(f"morphface.{room}"), "_HOMES", {})
    told = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            for line in node.body:
                told |= dict.fromkeys((alias.name for alias in line.names), line.module)
    assert told == {name: f"morphface.{room}.{home}" for name, home in homes.items()}


def test_users_need_no_path_deeper_than_a_room():
    """Notebooks, README and examples import from rooms, or from one that is a room of its own."""
    texts = [ROOT / "README.md", *ROOT.glob("morphface/**/*.md")]
    lines = [line for path in texts for line in path.read_text().splitlines()]
    for path in ROOT.glob("notebooks/*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        lines += [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    found = [match for line in lines if (match := re.match(r"\s*from (morphface[\w.]*) ", line))]
    assert {match[1] for match in found if match[1].count(".") > 1} <= set(DEEP)


def test_edit_is_a_room_and_a_function():
    face = morphface.FaceParameters.neutral()
    opened = morphface.edit(face, expression={"jawOpen": 0.5})
    assert torch.equal(
        opened.expression, morphface.edit.edit(face, expression={"jawOpen": 0.5}).expression
    )
    assert morphface.edit is importlib.import_module("morphface.edit")


def test_the_readme_lists_every_public_name():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## Names")[2].partition("## Rooms")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted([*listed, "__version__"]) == sorted(PUBLIC)


def test_the_readme_lists_every_room():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("## Rooms")[2].split("```")[1]
    listed = re.findall(r"^  (\w+)/", block, re.MULTILINE)
    layers = re.findall(r'^    "morphface\.(\w+)",$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert set(listed) == {*ROOMS, "cli"}
    assert set(layers) == set(listed)


@pytest.mark.refusal
def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'morphface' has no attribute 'nonsense'"):
        _ = morphface.nonsense
