import subprocess
import sys

import pytest

from morphface.core import display
from morphface.core.display import Displayed, Painting, painting_of, use_painter


class Value(Displayed):
    pass


calls = []


def paint(value):
    calls.append(value)
    return Painting("<b>shown</b>", b"png")


def paint_nothing(value):
    return None


def fail(value):
    raise RuntimeError("broken")


def interrupt(value):
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def restored_painter():
    before = display._painter
    calls.clear()
    yield
    use_painter(before)


def test_a_value_is_shown_by_the_painter_that_is_named():
    use_painter(f"{__name__}:paint")
    value = Value()
    assert value._repr_html_() == "<b>shown</b>"
    assert value._repr_png_() == b"png"
    assert all(seen is value for seen in calls)


def test_html_and_png_of_one_showing_are_drawn_once_but_the_next_showing_afresh():
    use_painter(f"{__name__}:paint")
    value = Value()
    for shown in (1, 2):
        value._repr_html_()
        value._repr_png_()
        assert len(calls) == shown


def test_the_png_of_another_value_is_not_taken():
    use_painter(f"{__name__}:paint")
    first, second = Value(), Value()
    first._repr_html_()
    second._repr_png_()
    assert calls == [first, second]


def test_a_shown_value_is_not_kept_alive():
    use_painter(f"{__name__}:paint_nothing")
    value = Value()
    value._repr_html_()
    kept = display._kept[0]
    del value
    assert kept() is None


@pytest.mark.parametrize("name", ["fail", "paint_nothing", "not_there"])
def test_a_value_that_cannot_be_drawn_falls_back_to_its_plain_text(name):
    use_painter(f"{__name__}:{name}")
    assert Value()._repr_html_() is None
    assert Value()._repr_png_() is None


@pytest.mark.parametrize("name", ["", "no.such.module:paint"])
def test_without_a_painter_there_is_no_picture(name):
    use_painter(name)
    assert painting_of(Value()) is None


def test_an_interruption_is_not_swallowed():
    use_painter(f"{__name__}:interrupt")
    with pytest.raises(KeyboardInterrupt):
        Value()._repr_html_()


def test_importing_the_package_names_the_painter_but_imports_nothing_heavy():
    code = (
        "import sys, morphface; from morphface.core import display; "
        "heavy = {'torch', 'matplotlib', 'IPython', 'PIL', 'morphface.show'} & set(sys.modules); "
        "print(display._painter, sorted(heavy))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["morphface.show.painters:paint", "[]"]
