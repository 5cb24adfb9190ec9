import io
import json
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import morphface
from morphface.core.errors import NoFaceError
from morphface.edit import PRESETS
from morphface.fit.fitted import FittedPhoto
from morphface.geometry.camera import to_camera
from morphface.media.images import Photo, write_image
from morphface.rerender.shrink import shrunk
from morphface.ui.session import Session
from tests.data import needs_detector


def ask(session, do, **fields):
    reply = session.handle({"id": 1, "do": do, **fields})
    assert reply.error is None, reply.error
    return reply


def put(session, control, value, **fields):
    return ask(session, "set", control=control, value=value, **fields)


def picture(reply):
    image = Image.open(io.BytesIO(reply.buffers[0]))
    said = reply.fields["picture"]
    assert image.format == "JPEG"
    assert image.size == (said["width"], said["height"])
    return np.asarray(image).astype(float)


def same(a, b):
    return torch.equal(a.to_vector(), b.to_vector())


def test_opening_says_what_there_is_to_move(session):
    fields = ask(session, "open").fields
    controls = {c["id"]: c for c in fields["controls"]}
    assert sum(key.startswith("expression/") for key in controls) == 52
    assert {c["group"] for c in controls.values()} == {g["id"] for g in fields["groups"]}
    for control in controls.values():
        assert control["min"] <= control["start"] == control["value"] <= control["max"]
    assert controls["expression/jawOpen"]["start"] == pytest.approx(0.25)
    assert controls["pose/yaw"]["start"] == pytest.approx(np.degrees(0.3), abs=0.01)
    assert fields["views"][:4] == ["photo", "landmarks", "rendered", "mesh"]
    assert set(fields["presets"]) == set(PRESETS)
    json.dumps(fields, allow_nan=False)


def test_a_slider_moves_what_it_names_and_nothing_else(session):
    before = session.parameters
    reply = put(session, "expression/jawOpen", 0.6)
    after = session.parameters
    changed = (after.to_vector() != before.to_vector()).sum()
    jaw = session.face.model.expression.names.index("jawOpen")
    assert changed == 1
    assert float(after.expression[0, jaw]) == pytest.approx(0.6)
    assert reply.fields["values"]["expression/jawOpen"] == 0.6


@pytest.mark.parametrize(
    ("control", "value"),
    [("pose/yaw", -20.0), ("pose/pitch", 12.0), ("pose/roll", 8.0), ("gaze/yaw", 15.0),
     ("gaze/pitch", -9.0), ("identity/3", 1.5), ("light/strength", 0.5)],
)  # fmt: skip
def test_what_was_set_is_what_the_reply_says(session, control, value):
    assert put(session, control, value).fields["values"][control] == value
    read = Session.of(FittedPhoto(session._desk.found.photo, session._desk.found.faces))
    assert not same(session.parameters, read.parameters)


def test_a_value_beyond_the_end_is_put_at_the_end(session):
    assert put(session, "expression/jawOpen", 7).fields["values"]["expression/jawOpen"] == 1.0
    assert put(session, "pose/pitch", -1e8).fields["values"]["pose/pitch"] == -40.0


def test_eyes_keep_the_angle_between_them_and_lids_follow(session):
    start = session.parameters
    reply = put(session, "gaze/pitch", -20.0)
    now = session.parameters
    turned = now.gaze - start.gaze
    assert torch.allclose(turned[0, 0], turned[0, 1])
    assert reply.fields["values"]["expression/eyeLookDownLeft"] > 0.5
    put(session, "expression/eyeLookDownLeft", 0.1)
    reply = put(session, "gaze/pitch", -10.0)
    assert reply.fields["values"]["expression/eyeLookDownLeft"] == 0.1


def test_the_order_of_edits_does_not_matter(known):
    moves = [("gaze/yaw", 12.0), ("pose/yaw", -5.0), ("expression/eyeLookInLeft", 0.3)]
    one, other = Session.of(known), Session.of(known)
    for session, order in ((one, moves), (other, moves[::-1])):
        session.handle({"do": "view", "name": "mesh"})
        for control, value in order:
            put(session, control, value)
    assert same(one.parameters, other.parameters)


def test_sessions_on_one_fit_are_independent(known):
    one, other = Session.of(known), Session.of(known)
    ask(one, "view", name="mesh")
    put(one, "expression/jawOpen", 0.9)
    assert same(other.parameters, other.start)
    assert same(one.start, other.start)


def test_a_drag_is_one_step_and_undo_and_redo_lead_back_and_forth(session):
    put(session, "identity/0", 1.0)
    middle = session.parameters
    for value in (0.3, 0.4, 0.5):
        put(session, "expression/jawOpen", value, dragging=True)
    reply = put(session, "expression/jawOpen", 0.55)
    end = session.parameters
    assert reply.fields["undo"]
    assert not reply.fields["redo"]
    ask(session, "undo")
    assert same(session.parameters, middle)
    reply = ask(session, "undo")
    assert same(session.parameters, session.start)
    assert not reply.fields["undo"]
    assert not ask(session, "undo").fields["undo"]
    ask(session, "redo")
    reply = ask(session, "redo")
    assert same(session.parameters, end)
    assert not reply.fields["redo"]


def test_a_drag_back_to_where_it_began_is_no_step(session):
    put(session, "expression/jawOpen", 0.5, dragging=True)
    assert not put(session, "expression/jawOpen", 0.25).fields["undo"]


def test_a_drag_that_was_never_ended_is_a_step_of_its_own(session):
    put(session, "expression/jawOpen", 0.5, dragging=True)
    put(session, "identity/0", 1.0)
    ask(session, "undo")
    assert session.handle({"do": "copy"}).fields["values"]["expression/jawOpen"] == 0.5


def test_the_head_follows_the_hand(session):
    width = ask(session, "fine").fields["picture"]["width"]
    camera = session._desk.painters["photo"].face.camera

    def nose():
        model, p = session.face.model, session.parameters
        shape = model.vertices(p.identity, p.expression)[0]
        tip = model.identity.mean[:, 2].argmax()
        placed = to_camera(shape, p.rotation[0], p.translation[0])
        return camera.project(placed)[tip, :2]

    before = nose()
    ask(session, "drag", what="pose", dx=0.0, dy=0.0, start=True, dragging=True)
    ask(session, "drag", what="pose", dx=0.02, dy=0.01, start=False, dragging=True)
    ask(session, "drag", what="pose", dx=0.05, dy=0.03, start=False, dragging=False)
    moved = (nose() - before) / width
    assert 0.03 < float(moved[0]) < 0.08
    assert 0.015 < float(moved[1]) < 0.06
    ask(session, "undo")
    assert same(session.parameters, session.start)


@pytest.mark.parametrize("what", ["gaze", "light"])
def test_a_drag_to_the_right_and_down_turns_right_and_down(session, what):
    before = ask(session, "fine").fields["values"]
    if what == "light":
        before = put(session, "light/yaw", 10.0).fields["values"]
    after = ask(session, "drag", what=what, dx=0.1, dy=0.05, start=True).fields["values"]
    assert after[f"{what}/yaw"] > before[f"{what}/yaw"]
    assert after[f"{what}/pitch"] < before[f"{what}/pitch"]


def test_presets_and_resets_change_their_group(session):
    put(session, "pose/yaw", 5.0)
    smiling = ask(session, "preset", name="smile", strength=0.5).fields["values"]
    assert smiling["expression/mouthSmileLeft"] == pytest.approx(0.35)
    assert smiling["expression/jawOpen"] == pytest.approx(0.25)
    mouth = ask(session, "reset", group="mouth").fields["values"]
    assert mouth["expression/mouthSmileLeft"] == 0.0
    assert mouth["expression/eyeSquintLeft"] == pytest.approx(0.1)
    assert ask(session, "reset", group="expression").fields["values"]["pose/yaw"] == 5.0
    ask(session, "reset")
    assert same(session.parameters, session.start)


def test_before_shows_what_was_fitted_and_a_move_ends_it(session):
    start = picture(ask(session, "fine"))
    moved = picture(put(session, "expression/jawOpen", 1.0))
    shown = ask(session, "before", on=True)
    assert shown.fields["before"]
    assert np.array_equal(picture(shown), start)
    assert not np.array_equal(moved, start)
    assert not put(session, "expression/jawOpen", 0.9).fields["before"]


@pytest.mark.parametrize(("head", "gaze"), [(0.0, 0.0), (25.0, 0.0), (-20.0, 15.0)])
def test_the_reply_says_where_the_irises_are(session, head, gaze):
    put(session, "pose/yaw", head)
    put(session, "gaze/yaw", gaze)
    drawn = ask(session, "view", name="gaze")
    iris = picture(drawn)
    y, x = np.nonzero((iris[..., 2] > 150) & (iris[..., 0] < 100))
    for eye in 320 * np.array(drawn.fields["eyes"]):
        near = np.hypot(x + 0.5 - eye[0], y + 0.5 - eye[1]) < 2.5 * eye[2]
        middle = x[near].mean() + 0.5, y[near].mean() + 0.5
        assert middle == pytest.approx(tuple(eye[:2]), abs=0.6 * eye[2])


def test_every_view_is_a_picture_of_one_size(session):
    names = ask(session, "open").fields["views"]
    sizes = {picture(ask(session, "view", name=name)).shape for name in names}
    assert sizes == {(240, 320, 3)}


def test_drawn_with_what_was_fitted_the_photo_is_the_photo(session):
    photo = picture(ask(session, "view", name="photo"))
    assert np.array_equal(picture(ask(session, "view", name="rendered")), photo)


@pytest.mark.slow
def test_coarse_and_fine_pictures_lie_on_each_other(session):
    ask(session, "view", name="rendered")
    for control, value in (("expression/jawOpen", 0.7), ("pose/yaw", 5.0), ("light/yaw", -50.0)):
        coarse = put(session, control, value, dragging=True)
        fine = ask(session, "fine")
        assert coarse.fields["picture"]["coarse"]
        assert not fine.fields["picture"]["coarse"]
        far = np.abs(picture(coarse) - picture(fine))
        assert far.mean() < 2.0
        put(session, control, value)


def test_python_makes_the_same_face(session, known):
    moves = {"pose/yaw": -8.0, "gaze/yaw": 11.0, "expression/jawOpen": 0.41, "identity/2": -1.2,
             "light/strength": 1.3, "light/pitch": 30.0}  # fmt: skip
    for control, value in moves.items():
        put(session, control, value)
    names = {"face": known.faces[0]}
    exec(session.python(), names)
    assert same(names["parameters"], session.parameters)
    assert "browInnerUp" not in session.python()


def test_python_names_the_photo(known, monkeypatch):
    photo = Photo(known.photo.pixels, source="some 'folder'/face.png")
    session = Session.of(FittedPhoto(photo, known.faces))
    asked = []
    monkeypatch.setattr(morphface, "fit_photo", lambda path: asked.append(path) or known, False)
    names = {}
    exec(session.python(), names)
    assert asked == ["some 'folder'/face.png"]
    assert same(names["parameters"], session.parameters)


def test_python_names_the_focal_length_that_was_given(known, monkeypatch):
    asked = []

    def fit(path, *, focal, **_):
        asked.append(focal)
        return replace(known, photo=Photo(known.photo.pixels, source=path), focal=focal)

    monkeypatch.setattr("morphface.ui.session.session.fit_photo", fit)
    monkeypatch.setattr(morphface, "fit_photo", fit, False)
    exec(Session.of("face.png", focal="50mm").python(), {})
    assert asked == ["50mm", "50mm"]


def test_json_repeats_what_the_sliders_say(session):
    values = put(session, "expression/jawOpen", 0.5).fields["values"]
    said = json.loads(ask(session, "copy").fields["json"])
    assert said["expression"]["jawOpen"] == 0.5
    assert said["changed"] == {"expression/jawOpen": 0.5}
    assert {f"{k}/{n}": v for k in ("pose", "identity") for n, v in said[k].items()}.items() <= (
        values.items()
    )


@pytest.mark.slow
def test_the_saved_head_has_the_shape_and_the_weights_of_the_sliders(session, tmp_path):
    import pygltflib

    put(session, "identity/0", 2.0)
    put(session, "expression/jawOpen", 0.75)
    reply = ask(session, "save", format="gltf")
    path = tmp_path / reply.fields["file"]
    path.write_bytes(reply.buffers[0])
    read = pygltflib.GLTF2().load(path)
    mesh = read.meshes[0]
    names = mesh.extras["targetNames"]
    assert len(names) == 52
    assert mesh.weights[names.index("jawOpen")] == pytest.approx(0.75)
    assert read.images
    access = read.accessors[mesh.primitives[0].attributes.POSITION]
    view = read.bufferViews[access.bufferView]
    raw = read.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    points = np.frombuffer(raw, np.float32).reshape(-1, 3) * 1e3
    still = torch.zeros_like(session.parameters.expression)
    shape = session.face.model.vertices(session.parameters.identity, still)[0].numpy()
    assert np.allclose(points.min(0), shape.min(0), atol=1e-3)
    assert np.allclose(points.max(0), shape.max(0), atol=1e-3)


def test_several_threads_may_ask(session):
    failed, before = [], torch.get_num_threads()

    def work(k):
        for n in range(3):
            reply = session.handle(
                {"id": k, "do": "set", "control": f"identity/{k}", "value": n / 2}
            )
            if reply.error or reply.fields["id"] != k:
                failed.append(reply.fields)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert torch.get_num_threads() == before
    assert session.parameters.identity[0, :3].tolist() == [1.0, 1.0, 1.0]


def test_a_huge_photo_is_shown_small(known):
    pixels = torch.nn.functional.interpolate(
        known.photo.pixels.movedim(-1, 0)[None], (2400, 3200)
    )[0].movedim(0, -1)  # fmt: skip
    face = shrunk(known, 320).faces[0]
    session = Session(FittedPhoto(Photo(pixels), (face,)))
    ask(session, "zoom", name="photo")
    shown = ask(session, "view", name="photo").fields["picture"]
    assert max(shown["width"], shown["height"]) == 384
    assert max(session._desk.found.photo.size) == 2048


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("message", "error"),
    [
        (3, "a message must be a JSON object, got 3"),
        ({}, "do must be text, got None"),
        ({"do": "dance"}, "no message is called 'dance'"),
        ({"do": "set", "control": "expression/jawopen", "value": 1}, "did you mean expression/jaw"),
        ({"do": "set", "control": "x" * 10**6, "value": 1}, "must have at most 60 characters"),
        ({"do": "set", "control": "pose/yaw", "value": float("nan")}, "must be a finite number"),
        ({"do": "set", "control": "pose/yaw", "value": 10**400}, "got a huge number"),
        ({"do": "set", "control": "pose/yaw", "value": "1"}, "must be a finite number, got '1'"),
        ({"do": "set", "control": "pose/yaw", "value": True}, "must be a finite number, got True"),
        ({"do": "set", "control": ["pose/yaw"], "value": 1}, "control must be text, got a list"),
        ({"do": "set", "control": "pose/yaw", "value": 1, "dragging": 1}, "must be true or false"),
        ({"do": "drag", "what": "nose", "dx": 0, "dy": 0}, "no thing to drag is called 'nose'"),
        ({"do": "drag", "what": "pose", "dx": None, "dy": 0}, "dx must be a finite number"),
        ({"do": "preset", "name": "smirk"}, "no preset is called 'smirk'"),
        ({"do": "reset", "group": "hair"}, "no group is called 'hair'"),
        ({"do": "view", "name": "x-ray"}, "no view is called 'x-ray'"),
        ({"do": "zoom", "name": "nose"}, "no zoom is called 'nose'; there are photo"),
        ({"do": "zoom"}, "name must be text, got None"),
        ({"do": "before", "on": "yes"}, "on must be true or false, got 'yes'"),
        ({"do": "save", "format": "fbx"}, "format must be gltf, got 'fbx'"),
    ],
)
def test_a_bad_message_changes_nothing_and_says_so(session, message, error):
    put(session, "expression/jawOpen", 0.5)
    reply = session.handle(message)
    assert error in reply.error
    assert not reply.fields["ok"]
    assert len(reply.error) < 3000
    assert reply.fields["picture"] is None
    assert reply.buffers == []
    assert reply.fields["values"]["expression/jawOpen"] == 0.5
    json.dumps(reply.fields, allow_nan=False)


def test_a_reply_repeats_a_sane_id_alone(session):
    assert session.handle({"id": "a7", "do": "copy"}).fields["id"] == "a7"
    for bad in ("x" * 10**6, [1], float("nan"), {"a": 1}):
        assert session.handle({"id": bad, "do": "copy"}).fields["id"] is None


@pytest.mark.refusal
def test_what_goes_wrong_in_drawing_is_told_and_changes_nothing(session, monkeypatch):
    def fails(*arguments, **options):
        raise RuntimeError("out of paint")

    monkeypatch.setattr(type(session._desk.painters["photo"]), "draw", fails)
    reply = session.handle({"do": "set", "control": "expression/jawOpen", "value": 0.9})
    assert reply.error == "this could not be drawn; the log of Python says why"
    assert same(session.parameters, session.start)


@pytest.mark.refusal
def test_a_face_that_was_not_fitted_is_refused(known):
    with pytest.raises(NoFaceError, match="there is no face 3: 1 were fitted, numbered from 0"):
        Session.of(known, face=3)


@pytest.mark.refusal
@pytest.mark.slow
def test_a_photo_without_a_face_is_refused(tmp_path):
    needs_detector()
    write_image(tmp_path / "grey.png", torch.full((64, 64, 3), 0.5))
    with pytest.raises(NoFaceError):
        Session.of(tmp_path / "grey.png")
