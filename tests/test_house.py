"""The rules of the house: lint, types, import order and sizes."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "morphface").rglob("*.py"))
LONGEST_FUNCTION, LONGEST_FILE, MOST_POSITIONAL = 50, 350, 5
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as run; run()"
CHECKS = {
    "ruff": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "mypy": ["-m", "mypy"],
    "importlinter": ["-c", LINT_IMPORTS],
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_tools_agree(name):
    module = "ruff" if name == "format" else name
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed: pip install 'morphface[test]'")
    command = [sys.executable, *CHECKS[name]]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def functions():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def length(node):
    """Lines of a function without its docstring."""
    documented = ast.get_docstring(node) is not None
    first = node.body[0]
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return node.end_lineno - node.lineno + 1 - docstring


def test_no_function_is_longer_than_the_budget():
    assert [name for name, node in functions() if length(node) > LONGEST_FUNCTION] == []


def test_the_median_function_is_short():
    lengths = sorted(length(node) for _, node in functions())
    assert lengths[len(lengths) // 2] <= 8
    assert lengths[len(lengths) * 9 // 10] <= 25


def test_no_file_is_longer_than_the_budget():
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert [str(path) for path, size in sizes.items() if size > LONGEST_FILE] == []


def test_public_functions_take_few_positional_arguments():
    crowded = [
        name
        for name, node in functions()
        if not node.name.startswith("_")
        and len([a for a in node.args.posonlyargs + node.args.args if a.arg not in ("self", "cls")])
        > MOST_POSITIONAL
        and not node.decorator_list
    ]
    assert crowded == []


def test_annotations_are_not_silenced():
    silenced = [p for p in SOURCES if "from __future__ import annotations" in p.read_text()]
    assert silenced == []
