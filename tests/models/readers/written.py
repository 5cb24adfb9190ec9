"""Writes small models in the genuine layouts of others, with libraries that are not ours.

`Truth` is a face in the conventions of the package: what each file must become. A writer turns it
into the units, index bases, orientations and names of one layout.
"""

import io
import json
import pickle
import struct
import sys
import types
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import h5py
import numpy as np
import scipy.io
import torch

COLUMNS, ROWS = 8, 10
CORNERS = (36, 39, 42, 45)


def unit_columns(rng, rows, columns):
    """Orthonormal columns."""
    return np.linalg.qr(rng.normal(size=(rows, columns)))[0]


@dataclass(frozen=True)
class Truth:
    """A shell of 80 vertices, 150 mm wide, with bases drawn from a seed."""

    seed: int = 0
    identities: int = 5
    expressions: int = 3
    colours: int = 4

    @cached_property
    def mean(self):
        x, y = np.meshgrid(np.linspace(-75, 75, COLUMNS), np.linspace(-110, 80, ROWS))
        z = 130 - 50 * (x / 75) ** 2 - 60 * ((y + 10) / 110) ** 2
        return np.stack([x, y, z], -1).reshape(-1, 3)

    @cached_property
    def faces(self):
        """Counter-clockwise seen from +z."""
        corner = np.arange(COLUMNS * ROWS).reshape(ROWS, COLUMNS)
        a, b = corner[:-1, :-1].ravel(), corner[:-1, 1:].ravel()
        c, d = corner[1:, 1:].ravel(), corner[1:, :-1].ravel()
        return np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])

    @cached_property
    def _drawn(self):
        rng = np.random.default_rng(self.seed)
        rows = self.mean.size
        return {
            "identity": (unit_columns(rng, rows, self.identities), self._sigma(self.identities)),
            "expression": (
                unit_columns(rng, rows, self.expressions),
                self._sigma(self.expressions) / 2,
            ),
            "colour": (unit_columns(rng, rows, self.colours), self._sigma(self.colours) / 300),
            "tone": rng.uniform(0.2, 0.8, self.mean.shape),
        }

    @staticmethod
    def _sigma(count):
        return 40.0 / np.arange(1, count + 1)

    def basis(self, name):
        """Unit columns (3 V x K), and their standard deviations in mm or of RGB in [0, 1]."""
        return self._drawn[name]

    @property
    def tone(self):
        return self._drawn["tone"]

    @cached_property
    def landmarks(self):
        indices = np.arange(68) % len(self.mean)
        middle = 6 * COLUMNS
        indices[list(CORNERS)] = middle + np.array([1, 3, 4, 6])
        return indices

    def between_eyes(self):
        """By the corners: 0.03 of the outer distance above their mean, and 0.12 behind."""
        corners = self.mean[self.landmarks[list(CORNERS)]]
        apart = np.linalg.norm(corners[3] - corners[0])
        return corners.mean(0) + apart * np.array([0, 0.03, -0.12])

    def behind_the_tip(self):
        """By the foremost point."""
        return self.mean[self.mean[:, 2].argmax()] + np.array([0, 36, -53])


def clockwise(faces):
    return faces[:, ::-1]


def column(values):
    return np.asarray(values, np.float32).reshape(-1, 1)


# MATLAB


def bfm2009(truth):
    """Micrometres, from 1, clockwise; deviations; colours to 255."""
    (shape, sigma), (colour, spread) = truth.basis("identity"), truth.basis("colour")
    return {
        "shapeMU": column(truth.mean * 1e3),
        "shapePC": shape.astype(np.float32),
        "shapeEV": column(sigma * 1e3),
        "texMU": column(truth.tone * 255),
        "texPC": colour.astype(np.float32),
        "texEV": column(spread * 255),
        "tl": (clockwise(truth.faces) + 1).astype(np.float64),
        "segbin": np.zeros((len(truth.mean), 4), np.uint8),
    }


def face3d(truth):
    """The same in a structure, with landmarks, expressions and their mean of 3DDFA."""
    arrays = bfm2009(truth)
    basis, sigma = truth.basis("expression")
    offset = np.full_like(arrays["shapeMU"], 2000.0)
    arrays["shapeMU"] = arrays["shapeMU"] - offset
    arrays |= {"expMU": offset, "expPC": basis, "expEV": column(sigma * 1e3)}
    arrays |= {"tri": arrays.pop("tl").T, "kpt_ind": (truth.landmarks + 1)[None].astype(np.uint16)}
    return {"model": arrays}


def bfm_front(truth):
    """Decimetres, from 1, bases times deviations; colours to 255."""

    def scaled(name, unit):
        basis, sigma = truth.basis(name)
        return (basis * sigma * unit).astype(np.float32)

    return {
        "meanshape": (truth.mean / 100).reshape(1, -1),
        "meantex": (truth.tone * 255).reshape(1, -1),
        "idBase": scaled("identity", 0.01),
        "exBase": scaled("expression", 0.01),
        "texBase": scaled("colour", 255),
        "tri": (truth.faces + 1).astype(np.float32),
        "keypoints": (truth.landmarks + 1)[None].astype(np.float32),
        "skinmask": (truth.mean[:, 1] > 0)[None].astype(np.float32),
        "point_buf": np.ones((len(truth.mean), 8), np.float32),
    }


def lsfm(truth):
    """menpo's release: decimetres, variances, from 0."""
    basis, sigma = truth.basis("identity")
    return {
        "mean": truth.mean.ravel() / 100,
        "components": basis,
        "eigenvalues": (sigma / 100) ** 2,
        "cumulative_explained_variance": np.cumsum(sigma**2) / (sigma**2).sum() * 0.997,
        "trilist": clockwise(truth.faces).astype(np.uint32),
        "n_training_samples": 8402,
    }


def lsfm_in_basel_names(truth):
    arrays = lsfm(truth)
    return {
        "shapeMU": column(arrays["mean"]),
        "shapePC": arrays["components"],
        "shapeEV": column(np.sqrt(arrays["eigenvalues"])),
        "trilist": arrays["trilist"],
    }


def fmod(truth):
    """HeadGAN's structure: bases times deviations, from 1."""
    (shape, sigma), (moves, spread) = truth.basis("identity"), truth.basis("expression")
    return {
        "fmod": {
            "mean": column(truth.mean / 100),
            "id_basis": shape * sigma / 100,
            "exp_basis": moves * spread / 100,
            "faces": truth.faces + 1,
            "IDlands": (truth.landmarks + 1)[:, None],
        }
    }


def save_mat(path, arrays, **options):
    scipy.io.savemat(path, arrays, **options)
    return path


def save_mat73(path, arrays):
    """MATLAB 7.3: HDF5 after 512 bytes of header, matrices transposed, structures as groups."""
    with h5py.File(path, "w", userblock_size=512) as file:
        _fill(file, arrays)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b" " * 8 + b"\0\2IM")
    return path


def _fill(group, arrays):
    for name, value in arrays.items():
        if isinstance(value, dict):
            inner = group.create_group(name)
            inner.attrs["MATLAB_class"] = np.bytes_(b"struct")
            _fill(inner, value)
        else:
            data = group.create_dataset(name, data=np.atleast_2d(value).T)
            data.attrs["MATLAB_class"] = np.bytes_(b"double")


# HDF5, as Scalismo writes it


def save_scalismo(path, truth, *, parts=("shape", "expression", "color"), version=(0, 9), **how):
    """Millimetres, from 0; variances; `how` goes to h5py, for compression."""
    named = {"shape": "identity", "expression": "expression", "color": "colour"}
    means = {"shape": truth.mean, "expression": np.full_like(truth.mean, 3.0), "color": truth.tone}
    with h5py.File(path, "w") as file:
        for part in parts:
            basis, sigma = truth.basis(named[part])
            group = file.create_group(part)
            group["model/mean"] = means[part].ravel().astype(np.float32)
            stored = basis * sigma if version == (0, 8) else basis
            group.create_dataset("model/pcaBasis", data=stored.astype(np.float32), **how)
            group["model/pcaVariance"] = (sigma**2).astype(np.float32)
            group["model/noiseVariance"] = np.zeros(1, np.float32)
            group["representer/points"] = truth.mean.T.astype(np.float32)
            group["representer/cells"] = truth.faces.T.astype(np.int32)
            group["version/majorVersion"] = np.int32(version[0])
            group["version/minorVersion"] = np.int32(version[1])
        file["metadata/landmarks/json"] = np.bytes_(json.dumps(scalismo_landmarks(truth)))
    return path


def scalismo_landmarks(truth):
    names = ("right.eye.corner_outer", "right.eye.corner_inner")
    names += ("left.eye.corner_inner", "left.eye.corner_outer")
    corners = truth.mean[truth.landmarks[list(CORNERS)]]
    rest = [{"id": "center.nose.tip", "coordinates": truth.mean[3].tolist()}]
    return rest + [
        {"id": n, "coordinates": c.tolist()} for n, c in zip(names, corners, strict=True)
    ]


# 3DDFA


def tddfa(truth, *, sigma=True):
    """Micrometres, clockwise, from 1; landmarks as indices of coordinates."""
    (shape, spread), (moves, width) = truth.basis("identity"), truth.basis("expression")
    arrays = {
        "u": column(truth.mean * 1e3),
        "w_shp": shape.astype(np.float32),
        "w_exp": (moves * 1e3).astype(np.float32),
        "tri": (clockwise(truth.faces).T + 1).astype(np.int32),
        "keypoints": (3 * truth.landmarks[:, None] + np.arange(3)).ravel(),
    }
    if sigma:
        arrays |= {"sigma_shp": spread * 1e3, "sigma_exp": width}
    return arrays


# Expression bases


def save_exp_pca(path, basis, sigma):
    """`Exp_Pca.bin` and `std_exp.txt` beside it, micrometres."""
    rank = basis.shape[1]
    mean = np.full(len(basis), 7.0, np.float32)
    path.write_bytes(struct.pack("<i", rank) + mean.tobytes() + basis.T.astype("<f4").tobytes())
    path.with_name("std_exp.txt").write_text(" ".join(f"{value * 1e3:.6g}" for value in sigma))
    return path


def save_flatbuffer(path, mean, faces, rows, scales):
    """`lsfm_exp_30.dat`, by the package flatbuffers."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)

    def table(*fields):
        builder.StartObject(len(fields))
        for slot, (add, value) in enumerate(fields):
            add(slot, value, 0)
        return builder.EndObject()

    offset = builder.PrependUOffsetTRelativeSlot
    tables = []
    for row, scale in zip(rows, scales, strict=True):
        points = builder.CreateNumpyVector(row.astype(np.float32))
        tables.append(table((offset, points), (builder.PrependFloat32Slot, float(scale))))
    builder.StartVector(4, len(tables), 4)
    for item in reversed(tables):
        builder.PrependUOffsetTRelative(item)
    components = builder.EndVector()
    points = builder.CreateNumpyVector(mean.ravel().astype(np.float32))
    indices = builder.CreateNumpyVector(faces.ravel().astype(np.uint32))
    mesh = table((offset, points), (offset, indices))
    builder.Finish(table((builder.PrependUint16Slot, 2), (offset, mesh), (offset, components)))
    path.write_bytes(bytes(builder.Output()))
    return path


# Pickles


@contextmanager
def standing_in(*names):
    """Empty classes under these full names, importable while the block runs."""
    made, added = {}, []
    for full in names:
        module, name = full.rsplit(".", 1)
        parts = module.split(".")
        for k in range(len(parts)):
            place = ".".join(parts[: k + 1])
            if place not in sys.modules:
                sys.modules[place] = types.ModuleType(place)
                added.append(place)
        made[name] = type(name, (), {"__module__": module})
        setattr(sys.modules[module], name, made[name])
    try:
        yield types.SimpleNamespace(**made)
    finally:
        for place in added:
            del sys.modules[place]


def filled(kind, **state):
    made = kind()
    made.__dict__.update(state)
    return made


def menpo_model(truth, *, joint):
    """A pickle of menpo's PCAModel, alone or with the entries of its expressive model."""
    (shape, sigma), (moves, spread) = truth.basis("identity"), truth.basis("expression")
    rows, variances = shape.T, (sigma / 100) ** 2
    with standing_in("menpo.model.pca.PCAModel", "menpo.shape.mesh.base.TriMesh") as menpo:
        if joint:
            rows = np.concatenate([(shape * sigma).T, (moves * spread).T]) / 100
            variances = np.ones(len(rows))
        template = filled(menpo.TriMesh, points=truth.mean / 100, trilist=truth.faces)
        model = filled(
            menpo.PCAModel,
            _components=rows,
            _eigenvalues=variances,
            _mean=truth.mean.ravel() / 100,
            template_instance=template,
            n_samples=8402,
        )
        if not joint:
            return pickle.dumps(model, protocol=4)
        count = len(sigma)
        indices = {"id_ind": np.arange(count), "exp_ind": np.arange(count, len(rows))}
        return pickle.dumps({"shape_model": model, **indices}, protocol=4)


def python2_pickle(arrays):
    """A dictionary of arrays as cPickle of Python 2 wrote it in protocol 2: text is bytes."""
    out = io.BytesIO()
    out.write(b"\x80\x02}(")
    for name, array in arrays.items():
        out.write(_short(name) + _python2_array(np.ascontiguousarray(array)))
    out.write(b"u.")
    return out.getvalue()


def _short(text):
    data = text.encode("latin-1")
    return b"U" + struct.pack("<B", len(data)) + data


def _integer(value):
    return b"J" + struct.pack("<i", value)


def _python2_array(array):
    data, code = array.tobytes(), array.dtype.str[1:]
    shape = b"(" + b"".join(_integer(size) for size in array.shape) + b"t"
    kind = b"cnumpy\ndtype\n(" + _short(code) + _integer(0) + _integer(1) + b"tR"
    order = b"(" + _integer(3) + _short("<") + b"NNN" + _integer(-1) + _integer(-1) + _integer(0)
    empty = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(" + _integer(0) + b"t"
    raw = b"T" + struct.pack("<i", len(data)) + data
    return (
        empty + _short("b") + b"tR(" + _integer(1) + shape + kind + order + b"tb\x89" + raw + b"tb"
    )


# What each file must become


def assert_is(model, truth, origin, *, expression="expression", colour=True):
    """The model is the truth, moved to `origin`: its faces, and what its coefficients do."""

    rng = np.random.default_rng(9)
    shape, sigma = truth.basis("identity")
    chosen = rng.normal(size=len(sigma))
    want = truth.mean - origin + (shape @ (sigma * chosen)).reshape(-1, 3)
    moved = np.zeros(0)
    if expression is not None:
        basis, spread = truth.basis(expression)
        moved = rng.normal(size=len(spread))
        want = want + (basis @ (spread * moved)).reshape(-1, 3)
    got = model.vertices(torch.tensor(chosen).float(), torch.tensor(moved).float())
    np.testing.assert_allclose(got.numpy(), want, atol=2e-3)
    assert model.expression.names == tuple(f"expression_{k}" for k in range(len(moved)))
    assert model.expression.bounds.isinf().all()
    np.testing.assert_array_equal(canonical(model.faces.numpy()), canonical(truth.faces))
    if colour:
        _assert_colour(model, truth, rng)
    else:
        assert model.reflectance is None


def _assert_colour(model, truth, rng):

    basis, spread = truth.basis("colour")
    chosen = rng.normal(size=len(spread))
    want = truth.tone + (basis @ (spread * chosen)).reshape(-1, 3)
    got = model.reflectance.instance(torch.tensor(chosen).float())
    np.testing.assert_allclose(got.numpy(), want, atol=1e-5)


def canonical(faces):
    """Each face from its lowest vertex on, in order, so that only orientation matters."""
    first = faces.argmin(1)
    rolled = np.stack([np.roll(face, -k) for face, k in zip(faces, first, strict=True)])
    return rolled[np.lexsort(rolled.T[::-1])]
