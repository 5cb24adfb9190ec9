import json
from dataclasses import replace

import numpy as np
import pygltflib
import pytest
import torch
from PIL import Image

from morphface.core.errors import ModelError, ParameterError
from morphface.fit.texture.faces import head_texture, without_relief
from morphface.pipelines import reconstruct
from morphface.pipelines.detailed import detailed, write_detail
from morphface.pipelines.head_files import rigged_head, with_hair
from morphface.pipelines.overlay import draw_overlay
from morphface.render import Detail
from morphface.rerender import hair_shell
from tests.data import needs_detector
from tests.fit.detail.photos import SIZE, lamp, photographed, waves


@pytest.fixture(scope="module")
def lit(known):
    face, photo = photographed(known, lamp(0.7, 0.6, 0.4), waves(known.faces[0].model))
    return detailed([face], [photo])[0], photo


def test_heights_are_written_with_sixteen_bits(tmp_path):
    heights = torch.tensor([[-2.0, 0.0], [1.0, 9.0]])
    up = torch.tensor([0.0, 0.0, 1.0]).expand(2, 2, 3)
    write_detail(tmp_path, Detail(heights, up, torch.zeros(2, 2)))
    stored = np.asarray(Image.open(tmp_path / "displacement.png"))
    assert stored.tolist() == [[0, 32768], [49151, 65535]]
    assert np.asarray(Image.open(tmp_path / "normals.png"))[0, 0].tolist() == [128, 128, 255]


def test_the_rig_carries_the_map_of_normals_and_hair_stays_flat(lit):
    face, photo = lit
    rig = rigged_head(face, photo)
    torch.testing.assert_close(rig.relief, 0.5 + 0.5 * face.detail.normals)
    shell = hair_shell(face, photo)
    whole = with_hair(rig, shell)
    assert whole.relief is not None
    if shell is not None:
        below = whole.relief[len(rig.relief) :]
        assert torch.equal(below, torch.tensor([0.5, 0.5, 1.0]).expand_as(below))
        shares = [
            len(p) / len(q) for p, q in ((rig.relief, whole.relief), (rig.texture, whole.texture))
        ]
        assert shares[0] == pytest.approx(shares[1], abs=0.01)


def test_the_overlay_shows_relief(lit):
    face, photo = lit
    plain = draw_overlay(replace(face, detail=None), photo)
    assert (draw_overlay(face, photo) - plain).abs().max() > 0.05


def test_textures_lose_the_light_that_relief_caught(lit):
    face, photo = lit
    plain = head_texture(replace(face, detail=None), photo, size=SIZE)
    told = torch.full_like(face.detail.shading, 0.1)
    found = without_relief(plain, replace(face.detail, shading=told))
    seen = plain.confidence > 0.99
    ratio = plain.albedo[seen] / found.albedo[seen]
    torch.testing.assert_close(ratio, torch.full_like(ratio, 1.1052), atol=1e-2, rtol=0)


def test_faces_without_pixels_stay_as_they_are(known):
    assert detailed(known.faces, [known.photo])[0] is known.faces[0]


def test_a_photo_becomes_a_head_with_a_map_of_normals(tmp_path):
    needs_detector()
    report = reconstruct("sample:astronaut", tmp_path, detail=True, only=["glb", "report"])
    told = report["faces"][0]["detail"]
    assert -2 <= told["lowest_mm"] < 0 < told["highest_mm"] <= 2
    assert json.loads((tmp_path / "report.json").read_text())["faces"][0]["detail"] == told
    content = pygltflib.GLTF2().load(tmp_path / "head.glb")
    assert all(material.normalTexture is not None for material in content.materials)
    assert all(p.attributes.TANGENT is not None for p in content.meshes[0].primitives)
    assert {p.name for p in tmp_path.glob("*.png")} == {"displacement.png", "normals.png"}


@pytest.mark.refusal
def test_detail_of_landmarks_alone_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="which only pixels tell; leave stage at 'pixels'"):
        reconstruct("sample:astronaut", tmp_path, detail=True, stage="linear")


@pytest.mark.refusal
def test_detail_without_texture_coordinates_is_refused(lit):
    face, photo = lit
    bare = replace(face, model=replace(face.model, uv=None, uv_faces=None))
    with pytest.raises(ModelError, match="detail needs texture coordinates"):
        detailed([bare], [photo])
