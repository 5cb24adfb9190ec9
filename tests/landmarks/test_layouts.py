"""Landmarks in the orders of others."""

import numpy as np
import pytest
import torch

from morphface.core.errors import LandmarkError
from morphface.landmarks import read_landmarks
from morphface.landmarks.layouts import LAYOUTS, layout_of
from morphface.models import load_model


@pytest.fixture(scope="module")
def face():
    """The 68 points of the open head from the front, in pixels."""
    model = load_model()
    vertices = model.identity.mean
    points = model.landmark_embedding("68").points(vertices[None])[0, :, :2]
    return points * torch.tensor([2.0, -2.0]) + 300


def written_as(face, name):
    """The points of the face in another order; what the 68 have not is somewhere beside."""
    order = LAYOUTS[name].order
    out = face.mean(dim=0) + torch.zeros(LAYOUTS[name].size, 2)
    out[torch.tensor(order)] = face[: len(order)]
    return out


@pytest.mark.parametrize("name", ["98", "106", "106-insightface"])
def test_each_order_uses_each_of_its_points_once(name):
    order = LAYOUTS[name].order
    assert len(set(order)) == len(order) == 68
    assert max(order) < LAYOUTS[name].size


@pytest.mark.parametrize(
    "name",
    ["98", "106", "106-insightface"],
)
@pytest.mark.parametrize("suffix", ["npy", "csv", "pts", "json"])
def test_points_of_other_orders_become_the_68_whatever_the_file(tmp_path, face, name, suffix):
    points = written_as(face, name)
    path = tmp_path / f"a.{suffix}"
    if suffix == "npy":
        np.save(path, points.numpy())
    else:
        given = points + 0.5 if suffix == "pts" else points
        rows = [f"{x:.4f},{y:.4f}" for x, y in given.tolist()]
        body = {"csv": "\n".join(["x,y", *rows]), "json": f"[[{'],['.join(rows)}]]"}
        body["pts"] = f"version: 1\nn_points: {len(rows)}\n{{\n" + "\n".join(rows) + "\n}"
        path.write_text(body[suffix].replace(",", " ") if suffix == "pts" else body[suffix])
    (found,) = read_landmarks(path)
    assert found.scheme == "68"
    torch.testing.assert_close(found.points, face, atol=1e-3, rtol=0)


def test_the_two_orders_of_106_points_are_told_apart(face):
    for name in ("106", "106-insightface"):
        assert layout_of(written_as(face, name)).name == name


def test_468_points_are_the_mesh_without_irises(tmp_path):
    points = np.random.default_rng(0).uniform(0, 200, (2, 468, 3))
    points[1] *= 3
    np.save(tmp_path / "a.npy", points)
    faces = read_landmarks(tmp_path / "a.npy")
    assert [face.scheme for face in faces] == ["478", "478"]
    np.testing.assert_allclose(faces[0].points[:468], points[1, :, :2], rtol=1e-6)
    assert faces[0].confidence[:468].min() == 1
    assert faces[0].confidence[468:].max() == 0


def test_a_table_of_openface_has_a_face_in_each_row(tmp_path, face):
    names = [f" {axis}_{n}" for axis in "xy" for n in range(68)]
    rows = [", ".join(f"{v:.3f}" for v in (face * scale).T.flatten()) for scale in (1.0, 0.5)]
    text = "\n".join(f"{k}, {row}" for k, row in enumerate(rows))
    (tmp_path / "a.csv").write_text("frame," + ",".join(names) + "\n" + text)
    faces = read_landmarks(tmp_path / "a.csv")
    torch.testing.assert_close(faces[1].points, face * 0.5, atol=1e-3, rtol=0)


@pytest.mark.refusal
def test_tables_of_something_else_are_refused(tmp_path):
    def refused(name, text):
        with pytest.raises(LandmarkError, match=text) as caught:
            read_landmarks(tmp_path / name)
        assert "\n" not in str(caught.value)

    np.save(tmp_path / "a.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    refused("a.npy", "is not a .npy file of plain numbers")
    np.save(tmp_path / "b.npy", np.zeros((68, 7)))
    refused("b.npy", r"holds an array of shape \(68, 7\), but landmarks are \(N, 2\)")
    np.save(tmp_path / "c.npy", np.random.default_rng(0).uniform(0, 1, (68, 2)))
    refused(
        "c.npy", "has points within .* which are shares of the picture: multiply x by its width"
    )
    np.save(tmp_path / "d.npy", np.random.default_rng(0).uniform(0, 99, (70, 2)))
    refused("d.npy", "has 70 points; known are faces of 5, 68, 98, 106, 468, 478 points")
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3\n")
    refused("a.csv", "has a point that is not two numbers")
    (tmp_path / "b.csv").write_text("# nothing\n")
    refused("b.csv", "holds no face")
    (tmp_path / "c.csv").write_text("x_0,y_1\n1,2\n")
    refused("c.csv", "columns x_0, y_0, ... that do not come in pairs")
