"""No module needs itself to be imported: any public name can be the first that is asked for."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "morphface"


def named(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def ran_on_import(body):
    """Import statements of a module that run when it is imported: not those of functions."""
    for node in body:
        if isinstance(node, ast.ImportFrom):
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from ran_on_import(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            yield from ran_on_import(node.body)
            yield from ran_on_import(getattr(node, "orelse", []))


def homes(body):
    """Where the names live that a package finds when they are asked for."""
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            return ast.literal_eval(node.value)
    return {}


def needs(bodies):
    """The modules that each module imports when it is imported, packages above them included."""
    doors = {module: homes(body) for module, body in bodies.items()}
    for module, body in bodies.items():
        found = set()
        for source, names in ran_on_import(body):
            found.add(source)
            found |= {f"{source}.{name}" for name in names}
            lazily = doors.get(source, {})
            found |= {f"{source}.{lazily[name]}" for name in names if name in lazily}
        parts = [name.split(".") for name in found]
        found |= {".".join(part[:depth]) for part in parts for depth in range(1, len(part))}
        yield module, {f for f in found if f in bodies and not f"{module}.".startswith(f"{f}.")}


def test_no_module_imports_itself_by_way_of_others():
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    bodies = {named(path): ast.parse(path.read_text(encoding="utf-8")).body for path in files}
    TopologicalSorter(dict(needs(bodies))).prepare()


@pytest.mark.parametrize(
    ("inner", "circular"),
    [
        ("from p.marks import tag", True),
        ("def f():\n    from p.marks import tag", False),
        ("if TYPE_CHECKING:\n    from p.marks import tag", False),
        ("from p import tag", True),
    ],
)
def test_a_circle_through_the_door_of_a_package_is_seen(inner, circular):
    sources = {
        "p": "_HOMES = {'tag': 'marks'}",
        "p.marks": "from p.room.labels import Label",
        "p.room": "from p.room.film import film",
        "p.room.labels": "",
        "p.room.film": inner,
    }
    bodies = {module: ast.parse(source).body for module, source in sources.items()}
    sorter = TopologicalSorter(dict(needs(bodies)))
    if circular:
        with pytest.raises(CycleError):
            sorter.prepare()
    else:
        sorter.prepare()
