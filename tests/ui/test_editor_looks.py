"""The editor's page in a real browser: what can be seen, read and reached by everybody."""

import pytest

from morphface.models import load_model
from tests.ui import stand_in
from tests.ui.hand import Tool, served

HUES = """node => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"""
OUTSIDE = """() => [...document.querySelectorAll(".mf-row label")].filter((label) => {
    const text = document.createRange();
    text.selectNodeContents(label);
    const [inner, outer] = [text.getBoundingClientRect(), label.getBoundingClientRect()];
    return !outer.width || inner.right > outer.right + 0.5 || inner.bottom > outer.bottom + 0.5;
}).map((label) => label.textContent)"""
PALE = """() => {
    const numbers = (text) => [...text.matchAll(/[\\d.]+/g)].map(Number);
    const over = ([r, g, b, a = 1], under) => [r, g, b].map((x, k) => a * x + (1 - a) * under[k]);
    const ground = (node) => {
        if (!node) return [255, 255, 255];
        return over(numbers(getComputedStyle(node).backgroundColor), ground(node.parentElement));
    };
    const linear = (x) => x <= 0.04 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    const light = (rgb) => {
        const [r, g, b] = rgb.map((x) => linear(x / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const contrast = (node) => {
        const back = ground(node);
        const [a, b] = [light(over(numbers(getComputedStyle(node).color), back)), light(back)];
        return Math.max(a / b, b / a);
    };
    const words = [...document.querySelectorAll(".mf-editor *")].filter((node) => {
        const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        return (own || node.matches("[type=number]")) && node.checkVisibility() && !node.disabled;
    });
    const found = words.map((node) => [node.outerHTML.slice(0, 80), contrast(node)]);
    return [found.length, found.filter(([, c]) => c < 4.5)];
}"""


@pytest.fixture
def page_of_all(page, monkeypatch):
    """The page with every slider of the open head's expressions, two of them moved."""
    names = load_model("open-head").expression.names
    controls = [(f"expression/{name}", "jaw", 0.0, 1.0, 0.01, 0.1) for name in names]
    monkeypatch.setattr(stand_in, "CONTROLS", (*controls, *stand_in.CONTROLS[2:]))
    with served(stand_in.StandIn()) as server:
        page.goto(server.address)
        tool = Tool(page)
        for name in ("mouthLowerDownRight", "eyeLookDownLeft"):
            tool.set(f"expression/{name}", 0.6)
        yield page


@pytest.mark.parametrize("width", [1280, 800, 420, 320])
def test_every_name_can_be_read_whole(page_of_all, width):
    page_of_all.set_viewport_size({"width": width, "height": 800})
    assert page_of_all.locator(".mf-row label").count() == 52 + 6
    assert page_of_all.evaluate(OUTSIDE) == []


def test_a_picture_is_not_blown_up(tool):
    tool.page.set_viewport_size({"width": 1900, "height": 1000})
    box = tool.place.locator("canvas.mf-picture").bounding_box()
    assert max(box["width"], box["height"]) <= 1.6 * 192


@pytest.mark.parametrize("size", [(1280, 800), (420, 800), (320, 600)])
def test_nothing_sticks_out_of_the_window(tool, size):
    tool.page.set_viewport_size({"width": size[0], "height": size[1]})
    wide, high = tool.page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert (wide, high) == size
    picture = tool.page.locator(".mf-stage").bounding_box()
    panel = tool.page.locator(".mf-panel").bounding_box()
    beside = panel["x"] >= picture["x"] + picture["width"]
    below = panel["y"] >= picture["y"] + picture["height"]
    assert (beside, below) == (size[0] > 700, size[0] <= 700)


def test_it_is_dark_where_the_user_wants_it_dark(tool):
    sums = []
    for scheme in ("light", "dark"):
        tool.page.emulate_media(color_scheme=scheme)
        back, text = tool.page.locator(".mf-frame").evaluate(HUES)
        sums.append([sum(int(x) for x in c[4:-1].split(",")) for c in (back, text)])
    (light, ink), (dark, chalk) = sums
    assert light > 600 > ink
    assert dark < 150 < chalk


def test_every_control_has_a_name_for_screen_readers(tool):
    nameless = tool.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, [tabindex]")]
            .filter((n) => !(n.getAttribute("aria-label") || n.textContent.trim()))
            .map((n) => n.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(tool, scheme):
    tool.page.emulate_media(color_scheme=scheme)
    tool.set("expression/jawOpen", 0.6)
    tested, pale = tool.page.evaluate(PALE)
    assert tested > 40
    assert pale == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(tool):
    tool.set("expression/jawOpen", 0.6)
    tool.page.evaluate("() => document.activeElement.blur()")
    ringed = """() => {
        const node = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(node);
        const ring = outlineStyle === "solid" && parseFloat(outlineWidth) >= 2;
        return [node.getAttribute("aria-label") ?? "", ring || node.type === "range"];
    }"""
    reached = []
    for _ in range(80):
        tool.page.keyboard.press("Tab")
        reached.append(tool.page.evaluate(ringed))
    names = {name for name, _ in reached}
    assert [name for name, ring in reached if name and not ring] == []
    assert {"jawOpen", "Smile", "Undo (Ctrl+Z)", "Copy the values as JSON", "Maps"} < names
    assert sum(name.startswith(("Light.", "Gaze.", "The face.")) for name in names) == 3


def test_a_slider_shows_that_the_keyboard_is_on_it(tool):
    slider = tool.slider("expression/browInnerUp")
    slider.scroll_into_view_if_needed()
    calm = slider.screenshot()
    slider.press("Shift")
    assert slider.screenshot() != calm
