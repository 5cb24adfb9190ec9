"""The 3D view in Chromium: its pixels, hands and ends."""

import io

import numpy as np
import pytest
from PIL import Image

READY = ".mf-viewer[data-state=ready]"
MEAN_HEAD = """
import torch
from morphface.media.meshes import Surface
from morphface.models import load_model
from morphface.ui import HeadViewer
model = load_model()
still = torch.zeros(1, model.identity.rank), torch.zeros(1, model.expression.rank)
moves = dict(zip(model.expression.names, model.expression.directions))
colours = model.albedo(torch.zeros(1, model.reflectance.rank))[0]
head = Surface(model.vertices(*still)[0], model.faces, colours=colours, targets=moves)
viewer = HeadViewer(head)
viewer
"""


@pytest.fixture
def opened(page, head_page):
    """The page with the head, drawn."""
    page.goto(head_page.as_uri())
    page.locator(READY).wait_for()
    page.evaluate("viewer.set('weights', {})")
    return page


def picture(page, which=0):
    """The pixels of a canvas, after what was asked for is drawn."""
    page.evaluate(
        "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
    )
    shot = page.locator(".mf-viewer canvas").nth(which).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(float)


def part(pixels, top, bottom, left=0.42, right=0.58):
    """A part of a picture, by fractions of its sides."""
    height, width = pixels.shape[:2]
    return pixels[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]


def change(first, second, top, bottom):
    """How much a band in the middle differs, of 255."""
    return float(np.abs(part(first, top, bottom) - part(second, top, bottom)).mean())


def is_skin(pixels):
    red, green, blue = pixels.reshape(-1, 3).mean(axis=0)
    return red > 100 and red > green + 15 > blue + 15


def test_the_page_shows_a_face_in_skin_colours_and_asks_for_nothing(opened, watch):
    pixels = picture(opened)
    assert is_skin(part(pixels, 0.45, 0.6))
    assert not is_skin(part(pixels, 0.3, 0.6, 0.0, 0.1))
    assert [url.split(":")[0] for url in watch.requests] == ["file", "blob"]


def test_the_whole_head_is_seen(opened):
    pixels = picture(opened)
    warm = pixels[..., 0] > pixels[..., 2] + 10  # the background is a bluish grey
    rows, columns = (np.nonzero(warm.any(axis=axis))[0] for axis in (1, 0))
    height, width = warm.shape
    assert 0.01 * height < rows.min() < 0.15 * height
    assert 0.85 * height < rows.max() < 0.99 * height
    assert 0.01 * width < columns.min() < columns.max() < 0.99 * width


def test_an_open_jaw_changes_the_mouth_and_not_the_brow(opened):
    before = picture(opened)
    opened.evaluate("viewer.set('weights', {jawOpen: 1})")
    after = picture(opened)
    assert change(before, after, 0.65, 0.85) > 15
    assert change(before, after, 0.2, 0.45) < 0.5


def test_left_is_the_subject_s_left(opened):
    before = picture(opened)
    opened.evaluate("viewer.set('weights', {eyeBlinkLeft: 1})")
    moved = np.abs(picture(opened) - before).sum(axis=-1)
    half = moved.shape[1] // 2
    assert moved[:, half:].sum() > 20 * moved[:, :half].sum() + 1000


def test_a_slider_moves_the_head_and_the_number_too(opened):
    opened.get_by_role("button", name="Neutral").click()
    before = picture(opened)
    opened.locator("input[type=range][data-target=jawOpen]").fill("0.8")
    assert change(before, picture(opened), 0.65, 0.85) > 10
    number = opened.locator("input[type=number][data-target=jawOpen]")
    assert number.input_value() == "0.8"
    number.fill("7")
    number.press("Tab")
    assert number.input_value() == "1"
    assert opened.evaluate("viewer.get('weights').jawOpen") == 1


def test_the_search_leaves_only_what_was_asked_for(opened):
    opened.get_by_role("searchbox").fill("jaw open")
    assert opened.locator(".mf-row:visible label").all_inner_texts() == ["jawOpen"]
    opened.get_by_role("searchbox").fill("nonsense")
    assert opened.get_by_text("No expression has this name.").is_visible()


def test_as_fitted_brings_back_the_photo_s_expression(opened, rig):
    opened.get_by_role("button", name="As fitted").click()
    weights = opened.evaluate("viewer.get('weights')")
    assert weights == pytest.approx(rig.weights)


def test_the_mouse_turns_the_head_and_reset_turns_it_back(opened):
    before = picture(opened)
    box = opened.locator("canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.mouse.move(x, y)
    opened.mouse.down()
    opened.mouse.move(x + 150, y, steps=3)
    opened.mouse.up()
    assert change(before, picture(opened), 0.1, 0.9) > 10
    opened.get_by_role("button", name="Reset view").click()
    assert change(before, picture(opened), 0.1, 0.9) < 2


def test_a_wheel_scrolls_the_page_until_the_head_was_clicked(opened):
    before = picture(opened)
    opened.locator("canvas").hover()
    opened.mouse.wheel(0, -300)
    assert change(before, picture(opened), 0.1, 0.9) < 0.5
    opened.locator("canvas").click()
    opened.mouse.wheel(0, -300)
    assert change(before, picture(opened), 0.1, 0.9) > 3


def test_light_comes_from_the_side_that_it_is_put_on(opened):
    opened.evaluate("viewer.set('light', 80)")
    pixels = picture(opened)
    right, left = part(pixels, 0.45, 0.6, 0.55, 0.65), part(pixels, 0.45, 0.6, 0.35, 0.45)
    opened.evaluate("viewer.set('light', -80)")
    other = picture(opened)
    assert right.mean() > part(other, 0.45, 0.6, 0.55, 0.65).mean() + 20
    assert left.mean() < part(other, 0.45, 0.6, 0.35, 0.45).mean() - 20


def test_texture_and_wireframe_can_be_switched(opened):
    coloured = picture(opened)
    opened.get_by_role("button", name="Texture").click()
    clay = picture(opened)
    assert not is_skin(part(clay, 0.45, 0.6))
    opened.get_by_role("button", name="Wireframe").click()
    assert part(picture(opened), 0.45, 0.6).mean() < part(clay, 0.45, 0.6).mean() - 5
    opened.get_by_role("button", name="Texture").click()
    opened.get_by_role("button", name="Wireframe").click()
    assert change(coloured, picture(opened), 0.1, 0.9) < 0.5


def test_two_views_do_not_disturb_each_other(opened):
    opened.evaluate(
        "window.other = morphfaceViewer.page(document.querySelector('main'), {...viewer.values})"
    )
    opened.locator(READY).nth(1).wait_for()
    before = picture(opened, 0), picture(opened, 1)
    opened.evaluate("other.set('weights', {jawOpen: 1})")
    assert change(before[0], picture(opened, 0), 0.2, 0.85) < 0.5
    assert change(before[1], picture(opened, 1), 0.65, 0.85) > 15


def test_a_view_that_is_taken_away_gives_its_context_back(opened):
    lost = opened.evaluate("""async () => {
        const lost = [];
        for (let k = 0; k < 20; k++) {
            const el = document.createElement("div");
            document.body.append(el);
            const end = morphfaceViewer.default.render({ model: viewer, el });
            const gl = el.querySelector("canvas").getContext("webgl2");
            end();
            lost.push(gl.isContextLost() && el.childElementCount === 0);
            el.remove();
        }
        return lost;
    }""")
    assert lost == [True] * 20
    assert is_skin(part(picture(opened), 0.45, 0.6))  # no context of the first was taken


def test_a_lost_context_is_said_and_can_be_had_again(opened):
    gl = "document.querySelector('canvas').getContext('webgl2')"
    opened.evaluate(f"{gl}.getExtension('WEBGL_lose_context').loseContext()")
    opened.get_by_text("took this view's memory").wait_for()
    opened.get_by_role("button", name="Show it again").click()
    opened.locator(READY).wait_for()
    assert is_skin(part(picture(opened), 0.45, 0.6))


def test_without_webgl_the_view_says_so_and_keeps_its_sliders(page, head_page):
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(head_page.as_uri())
    assert "WebGL 2 is missing" in page.get_by_role("alert").inner_text()
    page.locator("input[type=range][data-target=jawOpen]").fill("0.8")
    assert page.evaluate("viewer.get('weights').jawOpen") == 0.8


def test_a_narrow_page_has_the_sliders_below_and_nothing_sticks_out(page, head_page):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(head_page.as_uri())
    page.locator(READY).wait_for()
    stage, panel = (page.locator(name).bounding_box() for name in (".mf-stage", ".mf-panel"))
    assert panel["y"] >= stage["y"] + stage["height"] - 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert is_skin(part(picture(page), 0.45, 0.6))


@pytest.mark.slow
def test_a_notebook_shows_a_head_that_python_and_hand_move(lab):
    page = lab.open(MEAN_HEAD)
    page.locator(READY).wait_for(timeout=60_000)
    before = picture(page)
    assert is_skin(part(before, 0.45, 0.6))
    lab.run("viewer.weights = {'jawOpen': 1}")
    page.wait_for_function("document.querySelector('[data-target=jawOpen]').value === '1'")
    assert change(before, picture(page), 0.65, 0.85) > 10
    page.locator("input[type=range][data-target=jawOpen]").fill("0.3")
    heard = [lab.run("print(viewer.weights['jawOpen'])")]
    while heard[-1] != "0.3\n" and len(heard) < 50:
        page.wait_for_timeout(200)
        heard.append(lab.run("print(viewer.weights['jawOpen'])"))
    assert heard[-1] == "0.3\n"
    page.evaluate("window.gl = document.querySelector('.mf-viewer canvas').getContext('webgl2')")
    page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.wait_for_function("gl.isContextLost()")
    assert page.locator(".mf-viewer").count() == 0
