"""Names of a room are found whether the module of the same name was imported before or not."""

import sys
from types import ModuleType

import pytest


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A package with a module `draw`, which has a function `draw`."""
    folder = tmp_path / "a_room"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from morphface.core.doors import lazy_names\n"
        "__getattr__ = lazy_names(__name__, {'draw': 'draw', 'erase': 'draw'})\n"
    )
    (folder / "draw.py").write_text("def draw(): return 1\ndef erase(): return 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "a_room"
    for name in ("a_room", "a_room.draw"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("first", ["from a_room import draw", "import a_room.draw as _"])
def test_a_name_that_a_module_has_too_is_what_is_in_it(room, first):
    scope = {}
    exec(first, scope)
    exec("from a_room import draw, erase\nimport a_room", scope)
    assert not isinstance(scope["draw"], ModuleType)
    assert (scope["draw"](), scope["erase"]()) == (1, 0)
    assert {"draw", "erase"} <= set(dir(scope["a_room"]))


@pytest.mark.refusal
def test_an_unknown_name_of_a_room_is_an_attribute_error(room):
    module = __import__(room)
    with pytest.raises(AttributeError, match="module 'a_room' has no attribute 'colour'"):
        _ = module.colour
