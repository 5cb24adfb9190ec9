import json
from dataclasses import fields, replace

import numpy as np
import pytest
import roma
import torch
from safetensors.torch import save_file

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import to_camera
from morphface.models import MODELS, LinearBasis, load_model
from morphface.models.storage import read_header
from morphface.parameters import (
    FaceParameters,
    load_parameters,
    load_track,
    save_parameters,
    save_track,
)
from morphface.parameters import upgrade as module
from morphface.parameters.upgrade import REVISIONS, Upgrade, brought_up, read_upgrade, revision_of
from tests.parameters.test_io import moving_camera, random_face
from tests.parameters.test_track import a_track
from tests.toy import toy_model

GROUPS = [field.name for field in fields(FaceParameters)]
OLD_TONES = torch.tensor([0.558, 0.315, 0.801])  # of the second revision's own file
KEPT = ("expression", "reflectance", "illumination", "gaze", "rotation")


@pytest.fixture
def revised(monkeypatch, tmp_path):
    """Says how revisions follow each other, from the first; 80 coefficients that are turned."""

    def follow(*upgrades):
        for number, made in enumerate(upgrades, 1):
            tensors = {f.name: getattr(made, f.name).contiguous() for f in fields(made)}
            save_file(tensors, tmp_path / f"open_head_{number}.safetensors")
        monkeypatch.setitem(REVISIONS, "open-head", len(upgrades) + 1)

    monkeypatch.setattr(module, "_DATA", tmp_path)
    read_upgrade.cache_clear()
    yield follow
    read_upgrade.cache_clear()


def an_upgrade(rng, rank=80):
    turn, _ = torch.linalg.qr(torch.randn(rank, rank, generator=rng))
    scale = torch.rand(rank, generator=rng) + 0.5
    centre = torch.randn(rank, generator=rng)
    return Upgrade(scale[:, None] * turn, centre, torch.tensor([0.25, -3.0, 7.0]))


def of_the_past(path, face, camera, *, kind="parameters", model="open-head", track=None):
    """A file as the first format had it, by hand."""
    entries = {name: getattr(face, name).numpy() for name in GROUPS}
    entries |= {
        "camera_focal": camera.focal.numpy(),
        "camera_principal": camera.principal.numpy(),
        "camera_size": np.array(camera.size),
    }
    if track is not None:
        names = ("states", "times", "indices", "landmark_nme", "boxes")
        entries |= {name: getattr(track, name).numpy() for name in names}
    header = {"format": f"morphface {kind}", "version": 1, "model": model, "extra": {"k": 1}}
    np.savez(path, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **entries)


def next_revision(model, made):
    """The model of the next revision, and its head of the same shape for each old one."""
    old, inverse = model.identity, torch.linalg.inv(made.matrix)
    mean = old.mean + torch.einsum("i,ivc->vc", made.centre, old.directions) - made.shift
    directions = torch.einsum("ij,ivc->jvc", inverse, old.directions)
    return replace(model, identity=LinearBasis(mean, directions))


def test_heads_of_an_old_file_have_the_same_vertices_in_the_same_place(rng, tmp_path, revised):
    old = toy_model(identity=80)
    made = an_upgrade(rng)
    revised(made)
    face = replace(random_face(rng), expression=torch.rand(3, 4, generator=rng))
    of_the_past(tmp_path / "a.npz", face, moving_camera())
    found, _, header = load_parameters(tmp_path / "a.npz")
    new = next_revision(old, made)
    torch.testing.assert_close(
        new.vertices(found.identity, found.expression) + made.shift,
        old.vertices(face.identity, face.expression),
        atol=1e-3,
        rtol=0,
    )
    seen, was = (
        to_camera(model.vertices(f.identity, f.expression), f.rotation, f.translation)
        for model, f in ((new, found), (old, face))
    )
    torch.testing.assert_close(seen, was, atol=1e-3, rtol=0)
    assert all(torch.equal(getattr(found, name), getattr(face, name)) for name in KEPT)
    assert (header["model_revision"], header["converted_from_revision"]) == (2, 1)
    assert (header["model"], header["extra"]) == ("open-head", {"k": 1})


def test_a_track_moves_by_the_turned_shift(rng, tmp_path, revised):
    made = an_upgrade(rng)
    revised(made)
    track = a_track(rng)
    of_the_past(
        tmp_path / "a.npz",
        track.parameters,
        track.camera,
        kind="track",
        track=track,
    )
    found, header = load_track(tmp_path / "a.npz")
    turn = roma.rotvec_to_rotmat(track.parameters.rotation)
    moved = found.parameters.translation - track.parameters.translation
    torch.testing.assert_close(moved, turn @ made.shift, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        found.parameters.identity @ torch.linalg.inv(made.matrix).T + made.centre,
        track.parameters.identity,
        atol=1e-4,
        rtol=1e-4,
    )
    assert torch.equal(found.states, track.states)
    assert header["converted_from_revision"] == 1


def test_what_is_written_today_is_read_as_it_was(rng, tmp_path, revised):
    revised(an_upgrade(rng))
    face, track = random_face(rng), a_track(rng)
    save_parameters(tmp_path / "a.npz", face, moving_camera(), model="open-head")
    save_track(tmp_path / "b.npz", track, model="open-head")
    found, _, header = load_parameters(tmp_path / "a.npz")
    followed, other = load_track(tmp_path / "b.npz")
    assert torch.equal(found.to_vector(), face.to_vector())
    assert torch.equal(followed.parameters.to_vector(), track.parameters.to_vector())
    for each in (header, other):
        assert (each["version"], each["model_revision"]) == (2, 2)
        assert "converted_from_revision" not in each


def test_a_file_that_was_converted_and_saved_is_not_converted_again(rng, tmp_path, revised):
    revised(an_upgrade(rng))
    of_the_past(tmp_path / "a.npz", random_face(rng), moving_camera())
    once, camera, header = load_parameters(tmp_path / "a.npz")
    save_parameters(tmp_path / "b.npz", once, camera, model=header["model"])
    assert torch.equal(load_parameters(tmp_path / "b.npz")[0].to_vector(), once.to_vector())


@pytest.mark.parametrize("name", ["toy", "open-head-of-mine", "None", "/models/bfm.safetensors"])
def test_parameters_of_other_models_stay(name, rng, tmp_path, revised):
    revised(an_upgrade(rng))
    face = random_face(rng)
    of_the_past(tmp_path / "a.npz", face, moving_camera(), model=name)
    found, _, header = load_parameters(tmp_path / "a.npz")
    assert torch.equal(found.to_vector(), face.to_vector())
    assert "model_revision" not in header
    save_parameters(tmp_path / "a.npz", face, moving_camera(), model=name)
    assert load_parameters(tmp_path / "a.npz")[2]["model_revision"] is None


def test_the_path_of_its_file_means_the_open_head(rng, tmp_path, revised):
    revised(an_upgrade(rng))
    of_the_past(
        tmp_path / "a.npz", random_face(rng), moving_camera(), model=str(MODELS["open-head"])
    )
    assert load_parameters(tmp_path / "a.npz")[2]["converted_from_revision"] == 1


def test_revisions_follow_each_other(rng, revised):
    first, second = an_upgrade(rng), an_upgrade(rng)
    revised(first, second)
    face = random_face(rng)
    after = brought_up(face, "open-head", 1)
    torch.testing.assert_close(after.to_vector(), second.apply(first.apply(face)).to_vector())
    assert torch.equal(brought_up(face, "open-head", 2).to_vector(), second.apply(face).to_vector())
    assert brought_up(face, "open-head", 3) is face
    assert brought_up(face, "toy", 1) is face


def test_a_blink_that_closed_an_eye_at_0_7_closes_it_at_1(rng):
    face = replace(random_face(rng), expression=torch.rand(3, 52, generator=rng))
    names = load_model("open-head").expression.names
    blinks = [names.index("eyeBlinkLeft"), names.index("eyeBlinkRight")]
    face.expression[:, blinks] = torch.tensor([0.0, 0.35, 0.9])[:, None]
    after = brought_up(face, "open-head", 2).expression
    torch.testing.assert_close(after[:, blinks], torch.tensor([[0.0], [0.5], [1.0]]).expand(3, 2))
    others = [k for k in range(52) if k not in blinks]
    assert torch.equal(after[:, others], face.expression[:, others])
    assert brought_up(replace(face, expression=torch.rand(3, 4)), "open-head", 2).frames == 3


def test_skin_of_the_second_revision_keeps_its_tone(rng):
    """Old coefficients along the tone of skin, as the old model had it, give that luminance."""
    luminance = torch.tensor([0.299, 0.587, 0.114])
    model = load_model("open-head")
    skin = model.regions["face"] * model.regions["skin"]
    tones = torch.zeros(3)
    for number, amount in enumerate((0.0, -1.5, 1.5)):
        face = replace(random_face(rng), reflectance=torch.zeros(1, 80))
        face.reflectance[0, 0] = amount
        after = brought_up(face, "open-head", 2).reflectance
        tones[number] = skin @ (model.albedo(after)[0] @ luminance) / skin.sum()
    torch.testing.assert_close(tones, OLD_TONES, atol=0.02, rtol=0)


def test_what_comes_with_the_package_fits_the_open_head():
    made = read_upgrade("open-head", 1)
    assert made.matrix.shape == (80, 80)
    assert torch.linalg.cond(made.matrix) < 100
    assert made.shift.norm() < 30


def test_the_model_file_is_of_the_present_revision():
    assert read_header(MODELS["open-head"])["revision"] == revision_of("open-head")


@pytest.mark.refusal
def test_an_identity_of_another_rank_cannot_be_converted(rng, tmp_path, revised):
    revised(an_upgrade(rng))
    face = replace(random_face(rng), identity=torch.zeros(1, 40))
    of_the_past(tmp_path / "a.npz", face, moving_camera())
    words = r"a.npz is not usable: identity must have 80 coefficients to be converted .*, got 40"
    with pytest.raises(ParameterError, match=words):
        load_parameters(tmp_path / "a.npz")


@pytest.mark.refusal
def test_a_newer_revision_asks_for_an_update(rng, tmp_path, monkeypatch):
    with monkeypatch.context() as later:
        later.setitem(REVISIONS, "open-head", 7)
        save_parameters(tmp_path / "a.npz", random_face(rng), moving_camera(), model="open-head")
    with pytest.raises(ParameterError, match="belongs to revision 7 of model 'open-head', and"):
        load_parameters(tmp_path / "a.npz")


@pytest.mark.refusal
@pytest.mark.parametrize("value", [0, "2"])
def test_a_revision_that_is_none_is_refused(value, rng, tmp_path, monkeypatch):
    with monkeypatch.context() as wrong:
        wrong.setitem(REVISIONS, "open-head", value)
        save_parameters(tmp_path / "a.npz", random_face(rng), moving_camera(), model="open-head")
    with pytest.raises(ParameterError, match=f"no valid revision of model .*, got {value!r}"):
        load_parameters(tmp_path / "a.npz")


@pytest.mark.refusal
def test_an_upgrade_of_odd_shape_is_refused():
    with pytest.raises(ShapeError, match="matrix must have shape"):
        Upgrade(torch.eye(3), torch.zeros(2), torch.zeros(3))
    with pytest.raises(ShapeError, match="shift must have shape"):
        Upgrade(torch.eye(3), torch.zeros(3), torch.zeros(2))
