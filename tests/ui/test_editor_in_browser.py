"""The editor's page in a real browser: what a hand does there."""

import json
import threading

import numpy as np
import pygltflib
import pytest

from tests.ui.hand import Tool, served
from tests.ui.stand_in import StandIn


def mouth(fitted, shape):
    """Which pixels of a picture of the photo are around the fitted mouth, and which far away."""
    face = fitted.faces[0]
    vertices, camera = face.vertices_in_camera(), face.camera
    lips = face.model.regions["lips"] > 0.5
    points = camera.project(vertices)[lips, :2].numpy() * shape[0] / fitted.photo.size[0]
    x, y = points.mean(axis=0)
    reach = float(np.ptp(points[:, 0]))
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    return distance < reach / 2, distance > 6 * reach


def heads_are_whole(path):
    """A saved head opens in an independent reader, named and textured."""
    head = pygltflib.GLTF2().load(path)
    names = head.meshes[0].extras["targetNames"]
    assert len(names) == len(set(names)) == len(head.meshes[0].primitives[0].targets) == 52
    assert len(head.images) >= 1
    return dict(zip(names, head.meshes[0].weights, strict=True))


def the_jaw_moves_only_the_mouth(tool, astronaut):
    before = tool.pixels()
    near, far = mouth(astronaut, before.shape)
    tool.set("expression/jawOpen", 0.9)
    changed = np.abs(tool.pixels() - before).mean(axis=-1)
    assert changed[near].mean() > 8 * max(changed[far].mean(), 0.25)


@pytest.mark.slow
def test_a_face_is_edited_from_the_first_slider_to_the_saved_head(page, astronaut, tmp_path):
    from morphface.ui.session import Session

    session = Session.of(astronaut)
    with served(session) as server:
        page.goto(server.address)
        tool = Tool(page)
        tool.choose("Whole")
        the_jaw_moves_only_the_mouth(tool, astronaut)
        assert session.parameters.expression[0].max() > 0.85

        yaw = tool.value("pose/yaw")
        tool.drag("canvas.mf-picture", 60, 0)
        assert tool.value("pose/yaw") > yaw + 3  # to the right of the picture: the subject's left
        tool.press("Undo (Ctrl+Z)")
        assert tool.value("pose/yaw") == pytest.approx(yaw, abs=0.5)
        assert tool.value("expression/jawOpen") == 0.9

        assert json.loads(tool.copied("Copy the values as JSON")) == json.loads(session.json())
        assert tool.copied("Copy the values as Python code") == session.python()

        with page.expect_download() as download:
            tool.press("Save the head with its expressions as a glTF file")
        download.value.save_as(tmp_path / "head.glb")
        assert heads_are_whole(tmp_path / "head.glb")["jawOpen"] == pytest.approx(0.9, abs=0.01)


LAB = """
from morphface import FaceEditor, fit_photo
fitted = fit_photo("sample:astronaut", stage="linear")
editor, other = FaceEditor(fitted), FaceEditor(fitted)
editor
"""


@pytest.mark.slow
def test_the_same_editor_works_in_jupyterlab_until_its_kernel_is_gone(lab, astronaut, tmp_path):
    page = lab.open(LAB)
    tool = Tool(page, page.locator(".mf-editor"))
    tool.choose("Whole")
    the_jaw_moves_only_the_mouth(tool, astronaut)
    asked = "k = editor._session.face.model.expression.names.index('jawOpen')\n"
    asked += "print([round(float(e.parameters.expression[0, k]), 2) for e in (editor, other)])"
    mine, others = json.loads(lab.run(asked))
    assert (mine, others != mine) == (0.9, True)

    yaw = tool.value("pose/yaw")
    tool.drag("canvas.mf-picture", 50, 0)
    assert tool.value("pose/yaw") > yaw + 3
    tool.place.locator("canvas.mf-picture").press("Control+z")
    tool.settle()
    assert tool.value("pose/yaw") == pytest.approx(yaw, abs=0.5)
    assert json.loads(tool.copied("Copy the values as JSON")) == json.loads(
        lab.run("print(editor.json)")
    )
    with page.expect_download() as download:
        tool.press("Save the head with its expressions as a glTF file")
    download.value.save_as(tmp_path / "head.glb")
    assert heads_are_whole(tmp_path / "head.glb")["jawOpen"] == pytest.approx(0.9, abs=0.01)

    lab.shut()
    tool.says("The kernel is gone: run the cell again.")
    assert tool.slider("expression/jawOpen").is_disabled()


def test_of_moves_that_wait_only_the_newest_is_sent(tool, session):
    first, asked, answered = len(session.heard), [], threading.Event()
    answer = session.handle

    def late(message):
        answered.wait(30)
        return answer(message)

    session.handle = late
    tool.page.on("request", lambda request: asked.append(request.method))
    box = tool.place.locator("canvas.mf-picture").bounding_box()
    tool.page.mouse.move(box["x"] + 100, box["y"] + 100)
    tool.page.mouse.down()
    tool.page.mouse.move(box["x"] + 200, box["y"] + 100, steps=12)
    tool.page.mouse.up()
    assert asked.count("POST") == 1  # the others wait in the page
    answered.set()
    tool.settle()
    drags = [message for message in session.heard[first:] if message["do"] == "drag"]
    assert [(m["start"], m["dragging"]) for m in drags] == [(True, True), (False, False)]
    assert tool.value("pose/yaw") == pytest.approx(session.values["pose/yaw"], abs=0.3)
    assert session.values["pose/yaw"] > 10


def test_a_whole_drag_of_a_slider_is_one_step_back(tool, session):
    box = tool.slider("expression/jawOpen").bounding_box()
    y = box["y"] + box["height"] / 2
    tool.page.mouse.move(box["x"] + 0.1 * box["width"], y)
    tool.page.mouse.down()
    tool.page.mouse.move(box["x"] + 0.8 * box["width"], y, steps=8)
    tool.page.mouse.up()
    tool.settle()
    assert tool.value("expression/jawOpen") > 0.7
    assert session.heard[-1]["dragging"] is False
    tool.press("Undo (Ctrl+Z)")
    assert tool.value("expression/jawOpen") == 0.1
    assert tool.page.get_by_role("button", name="Undo (Ctrl+Z)").is_disabled()
    tool.page.keyboard.press("Control+Shift+Z")
    tool.settle()
    assert tool.value("expression/jawOpen") > 0.7


def test_the_picture_is_drawn_at_full_size_when_the_hand_rests(tool, session):
    moved = "node => { node.value = 0.5; node.dispatchEvent(new Event('input')); }"
    tool.slider("expression/jawOpen").evaluate(moved)
    tool.settle()
    assert [message["do"] for message in session.heard[-2:]] == ["set", "fine"]
    assert tool.place.locator("canvas.mf-picture").get_attribute("data-coarse") == "false"
    tool.slider("expression/jawOpen").evaluate("node => node.dispatchEvent(new Event('change'))")
    tool.settle()
    assert session.heard[-1]["dragging"] is False


@pytest.mark.parametrize("how", ["dblclick", "Delete", "button"])
def test_one_slider_goes_back_to_the_fit(tool, how):
    tool.set("expression/jawOpen", 0.6)
    slider = tool.slider("expression/jawOpen")
    if how == "button":
        tool.press("Reset jawOpen")
    else:
        slider.dblclick() if how == "dblclick" else slider.press(how)
    tool.settle()
    assert tool.value("expression/jawOpen") == 0.1


def test_a_group_goes_back_and_the_others_stay(tool):
    tool.set("expression/jawOpen", 0.6)
    tool.set("pose/yaw", 30)
    tool.press("Reset Jaw")
    assert (tool.value("expression/jawOpen"), tool.value("pose/yaw")) == (0.1, 30)
    tool.press("Reset everything to the fit")
    assert tool.value("pose/yaw") == 5


def test_a_number_can_be_typed_and_the_slider_takes_what_is_possible(tool, session):
    number = tool.page.get_by_label("jawOpen, value")
    number.fill("7")
    number.press("Enter")
    tool.settle()
    assert session.values["expression/jawOpen"] == tool.value("expression/jawOpen") == 1.0


def test_light_and_gaze_follow_the_hand_and_the_keys(tool):
    tool.drag(".mf-light", 19, 0)  # a quarter of the sphere's width, of which the width is 90 here
    assert tool.value("light/yaw") == pytest.approx(20 + 22.5, abs=1)
    tool.drag(".mf-gaze", 0, -38)
    assert tool.value("gaze/pitch") == pytest.approx(22.5, abs=1)
    tool.page.locator(".mf-gaze").press("ArrowRight")
    tool.settle()
    assert tool.value("gaze/yaw") == 2
    tool.page.locator("canvas.mf-picture").press("ArrowLeft")
    tool.settle()
    assert tool.value("pose/yaw") == 3


def test_search_shows_what_was_looked_for(tool):
    search = tool.page.get_by_label("Search sliders and presets")
    smile = tool.page.get_by_role("button", name="Smile", exact=True)
    search.fill("JAW o")
    assert tool.slider("expression/jawOpen").is_visible()
    assert not tool.slider("pose/yaw").is_visible()
    assert not smile.is_visible()
    search.fill("smi")
    assert smile.is_visible()
    search.fill("nonsense")
    tool.page.get_by_text("Nothing is called nonsense").wait_for()
    search.press("Escape")
    assert tool.slider("pose/yaw").is_visible()


def test_a_group_folds_by_the_keyboard(tool):
    fold = tool.page.get_by_role("button", name="Jaw", exact=True)
    fold.press("Enter")
    assert fold.get_attribute("aria-expanded") == "false"
    assert not tool.slider("expression/jawOpen").is_visible()


def test_presets_are_asked_for_by_name(tool, session):
    tool.page.get_by_label("Strength of presets").fill("0.5")
    tool.press("Smile")
    said = {key: session.heard[-1][key] for key in ("do", "name", "strength")}
    assert said == {"do": "preset", "name": "smile", "strength": 0.5}


def test_views_are_chosen_by_a_click_and_by_the_keys(tool, session):
    tool.choose("Mesh")
    assert session.view == "mesh"
    mesh = tool.page.get_by_role("radio", name="Mesh")
    mesh.press("ArrowLeft")
    tool.settle()
    assert session.view == "rendered"
    tool.page.get_by_label("Maps").select_option("depth")
    tool.settle()
    assert (session.view, mesh.get_attribute("aria-checked")) == ("depth", "false")


def test_the_face_fills_the_picture_until_the_whole_photo_is_wanted(tool, session):
    face, whole = (tool.page.get_by_role("radio", name=name) for name in ("Face", "Whole"))
    assert face.get_attribute("aria-checked") == "true"
    tool.choose("Whole")
    assert (session.zoom, whole.get_attribute("aria-checked")) == ("photo", "true")


def test_a_photo_that_is_all_face_has_nothing_to_choose(page, monkeypatch):
    monkeypatch.setattr(StandIn, "zooms", ("photo",))
    with served(StandIn()) as server:
        page.goto(server.address)
        Tool(page).settle()
        assert page.get_by_role("radio", name="Mesh").is_visible()
        assert not page.get_by_role("radio", name="Whole").is_visible()


def test_a_tab_that_is_looked_at_again_shows_what_another_one_did(tool, session):
    session.handle({"do": "set", "control": "expression/jawOpen", "value": 0.8})
    tool.page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    tool.settle()
    assert tool.value("expression/jawOpen") == 0.8


def test_before_is_a_toggle_for_a_click_and_lasts_as_long_as_it_is_held(tool, session):
    before = tool.page.get_by_role("button", name="Before and after: hold, or click to toggle")
    before.click()
    tool.settle()
    assert session.before is True
    before.press("Enter")
    tool.settle()
    assert session.before is False
    before.hover()
    tool.page.mouse.down()
    tool.page.wait_for_timeout(500)
    assert session.before is True
    tool.page.mouse.up()
    tool.settle()
    assert session.before is False


@pytest.mark.refusal
def test_what_is_wrong_is_said_in_words_and_goes_away(tool, session):
    del session.values["pose/pitch"]
    tool.set("pose/pitch", 3)
    tool.says("there is no slider 'pose/pitch'")
    tool.set("expression/jawOpen", 0.5)
    tool.says("Ready")


@pytest.mark.refusal
def test_a_program_that_ended_is_said(page, watch):
    with served(StandIn()) as server:
        page.goto(server.address)
        tool = Tool(page)
        tool.settle()
    tool.says("The program behind this page has ended: run morphface edit --ui again.")
    assert tool.slider("expression/jawOpen").is_disabled()
    watch.forgive("net::ERR_")


@pytest.mark.refusal
def test_where_the_clipboard_is_closed_the_text_can_be_taken_by_hand(tool):
    tool.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    tool.press("Copy the values as Python code")
    assert tool.page.get_by_label("Text to copy").input_value() == "edited = None\n"
