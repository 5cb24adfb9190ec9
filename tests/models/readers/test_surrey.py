import struct

import numpy as np
import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError
from morphface.models import load_model, save_model
from morphface.models.readers import read_model
from tests.data import shared
from tests.models.readers.written import Truth

TRUTH = Truth()
SIZE = len(TRUTH.mean)
UV = np.random.default_rng(1).uniform(0, 1, (SIZE, 2))
TABLE = {k: (k * 7) % SIZE for k in range(1, 69) if k not in (61, 65)}


def matrix(values):
    """Eigen's, column by column, after its rows and columns."""
    values = np.asarray(values, "<f4")
    return struct.pack("<2i", *values.shape) + values.tobytes(order="F")


def rows(values, kind):
    return struct.pack("<Q", len(values)) + np.asarray(values, kind).tobytes()


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def pca(mean, basis, deviations, faces):
    variances = np.square(deviations)[:, None]
    column = np.reshape(mean, (-1, 1))
    return matrix(column) + matrix(basis) + matrix(variances) + rows(faces, "<i4")


EMPTY = matrix(np.zeros((0, 0))) * 3 + rows([], "<i4")


def shape():
    basis, deviations = TRUTH.basis("identity")
    return pca(TRUTH.mean, basis, deviations, TRUTH.faces)


def colour():
    rng = np.random.default_rng(2)
    basis = np.linalg.qr(rng.normal(size=(3 * SIZE, 4)))[0]
    return rng.uniform(0.2, 0.8, (SIZE, 3)), basis, np.array([0.4, 0.3, 0.2, 0.1])


def blendshapes():
    moves = np.random.default_rng(3).normal(size=(2, SIZE, 3))
    offsets = [
        text(name) + matrix(move.reshape(-1, 1)) for name, move in zip(NAMES, moves, strict=True)
    ]
    return moves, struct.pack("<Q", 2) + b"".join(offsets)


NAMES = ("anger", "surprise")


def archive(version, *, painted=True, expression=b"\1", landmarks=b"\1", uv=UV, faces=()):
    """A whole file; an optional part is a byte 1, or 0 and the part."""
    parts = [struct.pack("<I", version), shape()]
    parts.append(pca(*colour(), TRUTH.faces) if painted else EMPTY)
    parts += [expression] * (version >= 2) + [landmarks] * (version >= 3) + [rows(uv, "<f8")]
    return b"".join(parts + [rows(faces, "<i4")] * (version >= 4))


def read(tmp_path, data, **options):
    (tmp_path / "model.bin").write_bytes(data)
    return read_model(tmp_path / "model.bin", **options)


def assert_is_the_truth(model):
    """Shape, triangles and texture coordinates, wherever the origin is."""
    basis, deviations = TRUTH.basis("identity")
    offset = model.identity.mean.numpy() - TRUTH.mean
    np.testing.assert_allclose(offset, np.broadcast_to(offset[0], offset.shape), atol=1e-4)
    wanted = (basis * deviations).T.reshape(-1, SIZE, 3)
    np.testing.assert_allclose(model.identity.directions, wanted, atol=1e-4)
    np.testing.assert_array_equal(model.faces, TRUTH.faces)
    if model.uv is not None:
        np.testing.assert_allclose(model.uv, UV * [1, -1] + [0, 1], atol=1e-6)
        np.testing.assert_array_equal(model.uv_faces, TRUTH.faces)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_every_version_with_colour(tmp_path, version):
    model = read(tmp_path, archive(version))
    assert_is_the_truth(model)
    mean, basis, deviations = colour()
    np.testing.assert_allclose(model.reflectance.mean, mean, atol=1e-6)
    wanted = (basis * deviations).T.reshape(-1, SIZE, 3)
    np.testing.assert_allclose(model.reflectance.directions, wanted, atol=1e-6)
    assert model.expression.rank == 0


@pytest.mark.parametrize("version", [1, 4])
def test_shape_only(tmp_path, version):
    model = read(tmp_path, archive(version, painted=False, uv=np.zeros((0, 2))))
    assert_is_the_truth(model)
    assert model.reflectance is None
    assert model.uv is None


def test_texture_triangles_of_their_own(tmp_path):
    own = np.roll(TRUTH.faces, 3, axis=0)
    model = read(tmp_path, archive(4, faces=own))
    np.testing.assert_array_equal(model.uv_faces, own)


def test_blendshapes_within_and_beside_have_names_and_weights(tmp_path):
    moves, data = blendshapes()
    (tmp_path / "expressions.bin").write_bytes(data)
    within = read(tmp_path, archive(2, expression=struct.pack("<bi", 0, 1) + data))
    beside = read(tmp_path, archive(1), expression=tmp_path / "expressions.bin")
    for model in (within, beside):
        assert model.expression.names == NAMES
        np.testing.assert_allclose(model.expression.directions, moves, atol=1e-6)
        assert (model.expression.bounds == torch.tensor([0.0, 1.0])).all()


def test_a_statistical_expression_model_moves_the_mean(tmp_path):
    basis, deviations = TRUTH.basis("expression")
    mean = np.random.default_rng(4).normal(size=TRUTH.mean.shape)
    data = struct.pack("<bi", 0, 0) + pca(mean, basis, deviations, TRUTH.faces)
    model, plain = read(tmp_path, archive(3, expression=data)), read(tmp_path, archive(3))
    moved = (model.identity.mean - plain.identity.mean).numpy()
    np.testing.assert_allclose(moved - moved.mean(0), mean - mean.mean(0), atol=1e-4)
    wanted = (basis * deviations).T.reshape(-1, SIZE, 3)
    np.testing.assert_allclose(model.expression.directions, wanted, atol=1e-4)
    assert model.expression.bounds.isinf().all()


def assert_has_the_landmarks(model):
    embedding = model.landmarks["68"]
    known = np.array(sorted(TABLE))
    points = embedding.points(model.identity.mean)[torch.from_numpy(known - 1)]
    wanted = model.identity.mean[[TABLE[k] for k in known]]
    torch.testing.assert_close(points, wanted)
    assert (embedding.confidence[[60, 64]] == 0).all()
    assert (embedding.confidence[17:60] == 1).all()


def test_landmarks_within_and_beside(tmp_path):
    pairs = b"".join(text(str(name)) + struct.pack("<i", at) for name, at in TABLE.items())
    data = b"\0" + struct.pack("<Q", len(TABLE)) + pairs
    assert_has_the_landmarks(read(tmp_path, archive(3, landmarks=data)))
    lines = ["# Mapping", "[landmark_mappings]", "  # 61 not defined"]
    lines += [f"{name:2d} = {at:5d}  # a point (28)" for name, at in TABLE.items()]
    (tmp_path / "ibug.txt").write_text("\n".join(lines))
    model = read(tmp_path, archive(1), landmarks=tmp_path / "ibug.txt")
    assert_has_the_landmarks(model)
    corners = model.identity.mean[[TABLE[k] for k in (37, 40, 43, 46)]].mean(0)
    assert abs(corners[0]) < 1e-3
    assert corners[2] > 0


def test_it_survives_our_own_format(tmp_path):
    model = read(tmp_path, archive(1))
    save_model(model, tmp_path / "surrey.safetensors")
    loaded = load_model(tmp_path / "surrey.safetensors")
    assert torch.equal(loaded.identity.directions, model.identity.directions)
    assert torch.equal(loaded.uv, model.uv)


@pytest.fixture
def eos():
    return pytest.importorskip("eos", reason="install eos-py to compare with its own library")


def test_what_the_library_writes_is_what_it_draws(eos, tmp_path):
    core = eos.morphablemodel
    basis, deviations = TRUTH.basis("identity")
    faces = TRUTH.faces.tolist()
    parts = [
        core.PcaModel(mean.ravel(), rows_, np.square(spread), faces)
        for mean, rows_, spread in ((TRUTH.mean, basis, deviations), colour())
    ]
    moves, _ = blendshapes()
    named = [core.Blendshape(n, m.ravel()) for n, m in zip(NAMES, moves, strict=True)]
    given = core.MorphableModel(parts[0], named, parts[1], texture_coordinates=UV.tolist())
    core.save_model(given, str(tmp_path / "model.bin"))
    model = read_model(tmp_path / "model.bin")
    assert_is_the_truth(model)
    identity, weights = np.linspace(-1, 1, 5), [0.3, 0.8]
    drawn = given.draw_sample(identity.tolist(), weights, [1.0, -1.0, 0.5, 0.2])
    ours = model.vertices(torch.from_numpy(identity).float(), torch.tensor(weights))
    apart = np.array(drawn.vertices) - ours.numpy()
    np.testing.assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=1e-3)
    painted = model.albedo(torch.tensor([1.0, -1.0, 0.5, 0.2]))
    np.testing.assert_allclose(painted, np.array(drawn.colors), atol=1e-4)
    core.save_blendshapes(named, str(tmp_path / "shapes.bin"))
    again = read(tmp_path, archive(1), expression=tmp_path / "shapes.bin")
    np.testing.assert_allclose(again.expression.directions, moves, atol=1e-6)


def test_the_genuine_model_draws_what_its_library_draws(eos):
    path = shared("eos", "sfm_shape_3448.bin")
    moves = shared("eos", "expression_blendshapes_3448.bin")
    model = read_model(path, expression=moves, landmarks=shared("eos", "ibug_to_sfm.txt"))
    assert (model.name, model.size, model.identity.rank) == ("surrey", 3448, 63)
    rng = np.random.default_rng(5)
    identity, weights = rng.normal(size=63), rng.uniform(size=6)
    drawn = eos.morphablemodel.load_model(str(path)).get_shape_model().draw_sample(identity)
    shapes = eos.morphablemodel.load_blendshapes(str(moves))
    drawn = drawn + sum(b.deformation * w for b, w in zip(shapes, weights, strict=True))
    ours = model.vertices(*(torch.from_numpy(c).float() for c in (identity, weights)))
    apart = drawn.reshape(-1, 3) - ours.numpy()
    np.testing.assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=5e-3)
    chin, brow = model.landmarks["68"].points(model.identity.mean)[[8, 27]]
    assert chin[1] < -50 < 0 < brow[1]


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive(1)[:-3], "is damaged: it states 80 items, more than it has room for"),
        (archive(1)[:2000], "is damaged: it ends too early"),
        (archive(1) + b"x", "is damaged: 1 bytes follow its end"),
        (struct.pack("<I", 7) + archive(1)[4:], "has version 7 of eos, known are 1 to 4"),
        (archive(1, uv=UV[:5]), "texture coordinates of .* do not belong to its triangles"),
        (archive(4, faces=TRUTH.faces + 999), "texture coordinates of .* do not belong"),
        (
            archive(2, expression=struct.pack("<biQ", 0, 1, 2**40)),
            "it states 1099511627776 items, more than it has room for",
        ),
    ],
)
def test_a_damaged_archive_is_refused(tmp_path, data, message):
    with pytest.raises(ModelError, match=message):
        read(tmp_path, data)


@pytest.mark.refusal
def test_parts_that_do_not_belong_together_are_refused(tmp_path):
    basis, deviations = TRUTH.basis("identity")
    start, end = struct.pack("<I", 1), EMPTY + rows(UV, "<f8")
    for parts, message in (
        ((TRUTH.mean[:-1], basis, deviations, TRUTH.faces), "its mean and its components do not"),
        ((TRUTH.mean, basis[:, :3], deviations, TRUTH.faces), "its variances do not belong"),
        ((TRUTH.mean, 1e38 * basis, 1e3 * deviations, TRUTH.faces), "its components are no num"),
        ((TRUTH.mean, basis, deviations, TRUTH.faces + 9), "its faces index"),
        ((TRUTH.mean, basis, deviations, TRUTH.faces[:0]), "has no shape model with triangles"),
        ((TRUTH.mean * np.inf, basis, deviations, TRUTH.faces), "numbers that are not finite"),
    ):
        with pytest.raises(ModelError, match=message):
            read(tmp_path, start + pca(*parts) + end)
    painted = pca(TRUTH.mean[:5], basis[:15], deviations, TRUTH.faces)
    with pytest.raises(ModelError, match="has 80 vertices, 5 of colour"):
        read(tmp_path, start + shape() + painted + rows(UV, "<f8"))


@pytest.mark.refusal
def test_wrong_companions_are_refused(tmp_path):
    moves, data = blendshapes()
    (tmp_path / "shapes.bin").write_bytes(data)
    with pytest.raises(ModelError, match="holds blendshapes alone: read the model, and pass"):
        read_model(tmp_path / "shapes.bin")
    (tmp_path / "text.txt").write_text("nothing")
    with pytest.raises(ModelError, match="is a text file, not blendshapes of the eos library"):
        read(tmp_path, archive(1), expression=tmp_path / "text.txt")
    with pytest.raises(ModelError, match="maps no landmarks to vertices, as in '9 = 33'"):
        read(tmp_path, archive(1), landmarks=tmp_path / "text.txt")
    with pytest.raises(MissingFileError, match="there is no landmark table at"):
        read(tmp_path, archive(1), landmarks=tmp_path / "none.txt")
    (tmp_path / "far.txt").write_text("9 = 4000")
    with pytest.raises(ModelError, match="landmarks of .* point beyond its 80 vertices"):
        read(tmp_path, archive(1), landmarks=tmp_path / "far.txt")
    short = struct.pack("<Q", 1) + text("anger") + matrix(moves[0][:5].reshape(-1, 1))
    (tmp_path / "short.bin").write_bytes(short)
    with pytest.raises(ModelError, match="has 80 vertices, but its expressions have 5"):
        read(tmp_path, archive(1), expression=tmp_path / "short.bin")
