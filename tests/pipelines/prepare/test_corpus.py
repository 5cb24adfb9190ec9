"""Clips of many people: who is in them, which serve, and the takes that they make."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.core.errors import DatasetError, MissingFileError, ParameterError
from morphface.generate import GeneratorConfig, config_of
from morphface.generate.bridge import TAUGHT
from morphface.geometry import Camera
from morphface.geometry.angles import rotvec_to_angles
from morphface.models import load_model
from morphface.parameters import LOST, FaceParameters, Track
from morphface.parameters.upgrade import REVISIONS
from morphface.pipelines.oneshot.dataset import open_takes
from morphface.pipelines.prepare import PrepareSettings, corpus
from morphface.pipelines.prepare.sources import Clip
from morphface.pipelines.prepare.takes import CorpusTakes
from morphface.render import render_maps, warp_by_flow
from morphface.render.maps.files import encode_png
from tests.media.shards.samples import write_manifest, write_shard
from tests.pipelines.prepare.standin import png

SIDE, FRAMES = 64, 6
CONFIG = GeneratorConfig(
    kind="headgan", resolution=SIDE, maps=("correspondence",), channels=(3,), offsets=(-2, -1, 0)
)


def clip_at(source):
    return Clip("/x", source, 1, 1, source)


def test_a_clip_is_a_person_unless_folders_or_a_table_say_more(tmp_path):
    clips = [clip_at(name) for name in ("id1/a/1.mp4", "id1/b/2.mp4", "id2/c/3.mp4")]
    names = [clip.identity for clip in corpus.with_identities(clips, "clips")]
    assert names == [clip.source for clip in clips]
    assert [c.identity for c in corpus.with_identities(clips, "folders")] == ["id1", "id1", "id2"]
    (tmp_path / "who.csv").write_text("clip,identity\nid1,ann\nid1/b/2.mp4,bob\nid2/c,ann\n")
    found = corpus.with_identities(clips, tmp_path / "who.csv")
    assert [clip.identity for clip in found] == ["ann", "bob", "ann"]


@pytest.mark.refusal
def test_a_table_that_does_not_serve_is_refused(tmp_path):
    clips = [clip_at("a.mp4")]
    with pytest.raises(MissingFileError, match="give a CSV file with the columns clip and ident"):
        corpus.with_identities(clips, tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_text("file,who\na.mp4,ann\n")
    with pytest.raises(ParameterError, match="must have the columns clip and identity"):
        corpus.with_identities(clips, tmp_path / "odd.csv")
    (tmp_path / "few.csv").write_text("clip,identity\nb.mp4,ann\n")
    with pytest.raises(ParameterError, match="names no identity for a.mp4; add a row"):
        corpus.with_identities(clips, tmp_path / "few.csv")


def track_of(states):
    frames = len(states)
    return Track(
        FaceParameters.neutral(frames=frames),
        Camera.facing((100, 100)),
        torch.tensor(states),
        torch.arange(frames) / 25,
        torch.arange(frames),
        torch.zeros(frames),
        torch.zeros(frames, 4),
    )


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("states", "drift", "cuts", "rule", "words"),
    [
        ([0] * 20, 0.1, [7], "cuts", "another shot from frame 7 on"),
        ([0] * 14 + [LOST] * 6, 0.1, [], "lost", "the face is lost in 6 of 20 frames"),
        ([0] * 7, 0.1, [], "short", "the face is seen in 7 frames, fewer than 8"),
        ([0] * 20, 0.46, [], "drift", "wanders about by 0.46 of the picture, more than 0.45"),
    ],
)
def test_clips_that_do_not_serve_are_rejected_by_a_rule(states, drift, cuts, rule, words):
    with pytest.raises(corpus.Rejected, match=words) as caught:
        corpus.check_clip(track_of(states), drift, cuts)
    assert caught.value.rule == rule
    corpus.check_clip(track_of([0] * 15 + [LOST] * 5), 0.45, [])


def test_rejections_are_counted_in_the_manifest(make, monkeypatch):
    from tests.pipelines.prepare import standin

    before = standin.work

    def work(clip, settings, warn):
        if "frames=25" in clip.path or clip.source.startswith("c"):
            raise corpus.Rejected("drift", "the face wanders about")
        yield from before(clip, settings, warn)

    monkeypatch.setattr(standin, "work", work)
    made = make()
    assert made.manifest["statistics"]["rejected_because"] == {"drift": 1}
    assert dict(made.skipped)["c.mp4"] == "the face wanders about"


def test_photos_are_spread_evenly_over_the_pose_that_varies_most():
    frames = 41
    still = FaceParameters.neutral(frames=frames)
    order = torch.randperm(frames, generator=torch.Generator().manual_seed(1))
    yaw = torch.zeros(frames)
    yaw[order] = torch.linspace(-0.5, 0.5, frames)
    rotation = torch.stack([0 * yaw, yaw, 0 * yaw], dim=-1)
    moving = replace(still, rotation=rotation, translation=still.translation + yaw[:, None] * 20)
    chosen = yaw[corpus.candidates(moving)]
    steps = chosen.diff()
    assert len(chosen) == corpus.CANDIDATES
    assert chosen.min() == yaw.min()
    assert chosen.max() == yaw.max()
    assert (steps.abs() - 1 / 7).abs().max() < 0.02
    assert len(corpus.candidates(moving[:5])) == 5


def head_of(identity, frames):
    """A head with an identity, which turns."""
    still = FaceParameters.neutral(frames=frames)
    rotation = torch.zeros(frames, 3)
    rotation[:, 1] = torch.linspace(-0.25, 0.25, frames)
    return replace(still, identity=identity, rotation=rotation)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Two clips of one person, whose heads were fitted a little otherwise, seen by two cameras."""
    folder, model, samples = tmp_path_factory.mktemp("corpus"), load_model(), []
    for clip in range(2):
        identity = torch.zeros(1, 80)
        identity[0, :4] = 2.0 * clip
        face = head_of(identity, FRAMES)
        camera = Camera.facing((SIDE, SIDE), focal=(2.0 + 0.2 * clip) * SIDE)
        maps = render_maps(model, face, camera, ("correspondence", "mask"))
        for k in range(FRAMES):
            vector = io.BytesIO()
            np.save(vector, face[k].to_vector()[0].numpy())
            lens = {"focal": float(camera.focal), "principal": camera.principal.tolist()}
            matte = (maps["mask"][k, ..., 0] * 255).byte().numpy()
            coded = encode_png("correspondence", maps["correspondence"][k])
            parts = {
                "frame.png": coded,
                "params.npy": vector.getvalue(),
                "correspondence.png": coded,
                "matte.png": png(matte),
                "json": json.dumps({"camera": lens}).encode(),
            }
            samples.append((f"{clip}_{k:06d}", parts))
    shard = write_shard(folder / "shard-000000", samples, tuple(samples[0][1]))
    settings = {"size": SIDE, "model": "open-head", "corpus": True}
    runs = [[[0, FRAMES]], [[0, 2], [2, FRAMES - 2]]]
    more = {"settings": settings, "versions": {"model_revision": str(REVISIONS["open-head"])}}
    write_manifest(folder, [shard], runs, ("correspondence",), **more)
    manifest = json.loads((folder / "manifest.json").read_text())
    for clip in manifest["clips"]:
        clip["source"]["identity"] = "ann"
        clip["sequences"][0]["photos"] = [0, 3, FRAMES - 1]
    from morphface.media.shards.folder import manifest_sha256

    del manifest["sha256"]
    manifest |= {"sha256": manifest_sha256(manifest)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_every_frame_comes_with_every_photo_and_stays_within_its_run(dataset):
    takes = CorpusTakes(dataset, CONFIG, longest=3)
    assert takes.people == ("ann",)
    assert takes.count == 2 * FRAMES * 3
    assert [len(takes.take(3 * row, 3).frame) for row in range(FRAMES)] == [3, 3, 3, 3, 2, 1]
    second = [len(takes.take(3 * (FRAMES + row), 3).frame) for row in range(FRAMES)]
    assert second == [2, 1, 3, 3, 2, 1]
    first = takes.take(0)
    torch.testing.assert_close(first.window[:, :3], first.window[:, 6:])  # nothing comes before


def test_maps_of_a_frame_are_those_that_were_stored_within_a_clip(dataset):
    take = CorpusTakes(dataset, CONFIG).take(3 * 4)
    stored = take.frame[0] / 2 + 0.5
    torch.testing.assert_close(take.window[0, -3:], stored, atol=0.5 / 255 + 1e-4, rtol=0)


def test_a_generator_of_latent_motion_reads_it_off_frames_whose_fit_teaches_it(dataset):
    take = CorpusTakes(dataset, config_of("lia", resolution=SIDE)).take(3 * 4)
    assert take.style.shape == (1, 0)
    turned = rotvec_to_angles(head_of(torch.zeros(1, 80), FRAMES)[4].rotation)[0]
    found = dict(zip(TAUGHT, take.named[0].tolist(), strict=True))
    for name, angle in zip(("yaw", "pitch", "roll"), turned.tolist(), strict=True):
        assert found[name] * TAUGHT[name] == pytest.approx(angle, abs=1e-3)


def test_across_clips_a_frame_has_the_identity_of_its_photo(dataset):
    takes = CorpusTakes(dataset, CONFIG, across=True)
    assert takes.count == 2 * FRAMES * 6
    take = takes.take(6 * FRAMES + 6 * 3 + 1)  # frame 3 of the second clip, photo of the first
    model, face = load_model(), head_of(torch.zeros(1, 80), FRAMES)
    camera = Camera.facing((SIDE, SIDE), focal=2.2 * SIDE)
    wanted = render_maps(model, face[3], camera, ("correspondence",))["correspondence"][0]
    torch.testing.assert_close(take.window[0, -3:].permute(1, 2, 0), wanted, atol=1e-4, rtol=0)
    reference = take.references[0]
    moved = warp_by_flow(reference.maps.permute(0, 2, 3, 1), reference.flow.permute(0, 2, 3, 1))[0]
    trusted = (reference.valid[0, 0] > 0.99) & (wanted.sum(-1) > 0)
    assert (moved - wanted)[trusted].abs().median() < 0.004


def test_of_one_person_the_end_of_each_clip_is_kept_for_validation(dataset):
    train, held = open_takes(dataset, CONFIG, validation=0.34)
    whole = CorpusTakes(dataset, CONFIG)
    assert train.count == 2 * 4 * 2  # photos 0 and 3 are within the first four frames
    assert held.count == 2 * 2 * 2
    torch.testing.assert_close(train.take(1).frame, whole.take(1).frame)
    torch.testing.assert_close(held.take(0).frame, whole.take(3 * 4).frame)
    torch.testing.assert_close(held.take(0).references[0].photo, whole.take(0).references[0].photo)
    assert open_takes(dataset, CONFIG, validation=0.0)[1] is None


@pytest.mark.refusal
def test_what_is_no_corpus_of_this_size_is_refused(dataset, tmp_path):
    with pytest.raises(ParameterError, match=r"the share to validate must be in \[0, 1\), got 1"):
        open_takes(dataset, CONFIG, validation=1)
    with pytest.raises(DatasetError, match="has nobody of bob"):
        CorpusTakes(dataset, CONFIG, identities=["bob"])
    with pytest.raises(DatasetError, match="of 64 pixels, the generator makes 32; .* --size 32"):
        CorpusTakes(dataset, CONFIG.replace(resolution=32))
    from tests.pipelines.rendered_dataset import rendered_dataset

    rendered_dataset(tmp_path, frames=3)
    with pytest.raises(DatasetError, match="is no corpus .*; prepare the clips with --corpus"):
        CorpusTakes(tmp_path, CONFIG)


def test_settings_of_other_datasets_are_named_as_before():
    plain = PrepareSettings()
    assert "matte.png" not in plain.extensions
    assert "matte.png" in PrepareSettings(corpus=True).extensions
    assert plain.digest != PrepareSettings(corpus=True).digest
