"""How real heads differ: the open head is fitted to random people of a model made from scans.

    python assets/open_head/population.py PATH/ict_facekit.npz

draws people from the identity modes of ICT-FaceKit (University of Southern California, MIT), fits
the head of the artists to the surface of each by non-rigid closest points, and writes mean and
covariance of the coefficients to `population.npz` beside this file. `build.py` reads only that.

The covariance is that of the fits plus the mean of their posteriors, since what a surface does not
show varies, too. People are counted twice, as they are and in a mirror: neither side is favoured.
What their mean has beyond all coefficients, because artists did not foresee it, is an offset of
the skin, a thin plate bent onto the mean surface.
"""

import hashlib
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csc_matrix

from build import Artists as Made
from build import build_artists
from morphface.geometry.closest import closest_on_mesh
from morphface.models.conversion.registration import Similarity, Surface, bend
from sight import in_sight
from template import Head, build_head

OUTPUT = Path(__file__).parent / "population.npz"
PEOPLE, SEED = 300, 777
ROUNDS = 6  # of closest points for each fit
RIGID = 4  # of closest points that only move the head to the mean person, at the start
AGREE = 0.5  # cosine between normals below which a point plays no part
CANDIDATES = 8  # faces that are tried for each nearest point
NOISE = 0.004  # mm^2 of mean squared distance that one squared coefficient must save
REACH = 6.0  # mm from the surface beyond which a point plays no part
STRIDES = (3, 4)  # every third point of the narrow face, every fourth of what is around it

Array = np.ndarray


@dataclass(frozen=True)
class Artists:
    """The head that is fitted.

    Attributes:
        mean: V x 3.
        directions: I x V x 3.
        faces: of the skin.
        mirror: the vertex on the other side.
    """

    mean: Array
    directions: Array
    faces: Array
    mirror: Array

    @classmethod
    def of(cls, head: Head, made: Made) -> "Artists":
        """The head that the build begins with."""
        inner = sum(made.regions[name] for name in ("eyeballs", "teeth", "tongue"))
        faces = head.faces[~(inner > 0.5)[head.faces].any(1)]
        return cls(made.shape.mean, made.shape.directions, faces, head.mirror)

    @cached_property
    def moves(self) -> Array:
        """What each coefficient adds, V x 3 x I: all that moves a vertex lies together."""
        return np.ascontiguousarray(self.directions.transpose(1, 2, 0))

    def shape(self, coefficients: Array) -> Array:
        """Vertices of a person."""
        return self.mean + self.moves @ coefficients


@dataclass(frozen=True)
class Fit:
    """One person.

    Attributes:
        coefficients: I.
        pose: from the frame of the person to that of the head.
        covariance: of the coefficients, I x I.
        distance: mean distance of the points that take part, in millimetres.
    """

    coefficients: Array
    pose: Similarity
    covariance: Array
    distance: float = np.inf


@dataclass(frozen=True)
class People:
    """Neutral faces in millimetres, the origin between the eyeballs of their mean.

    Attributes:
        mean: the surface of the mean face.
        rows: which of its vertices are compared: those that are seen from before the face.
        faces: the vertices `rows` of each person.
    """

    mean: Surface
    rows: Array
    faces: Array

    @property
    def normals(self) -> Array:
        """Of the mean, at its `rows`."""
        return self.mean.normals[self.rows]


def read_people(path: Path) -> People:
    """Random people from the archive of ICT-FaceKit, whose unit is the centimetre."""
    with np.load(path) as data:
        mean, modes = data["vertices"] * 10.0, data["identity"].astype(np.float64) * 10.0
        narrow, whole = int(data["narrow_face_count"]), int(data["face_count"])
        names, corners = list(data["part_names"]), data["faces"].astype(np.int64)
        eyes = [mean[data["vertex_part"] == names.index(f"sclera_{s}")] for s in ("left", "right")]
    rows = np.r_[0 : narrow : STRIDES[0], narrow : whole : STRIDES[1]]
    rows = rows[in_sight(mean, corners)[rows]]
    draws = np.random.default_rng(SEED).normal(size=(PEOPLE, len(modes)))
    mean = mean - (eyes[0].mean(0) + eyes[1].mean(0)) / 2
    faces = mean[rows] + np.tensordot(draws, modes[:, rows], 1)
    return People(Surface(mean[:whole], corners[(corners < whole).all(1)]), rows, faces)


def fit_person(
    points: Array, people: People, artists: Artists, prior: tuple[Array, Array], start: Fit | None
) -> Fit:
    """The coefficients whose surface comes nearest to `points`; scale is held.

    Args:
        points: of a neutral face, in millimetres.
        people: for the directions in which their surfaces face.
        artists: the head to fit.
        prior: mean and covariance of the coefficients.
        start: where to begin; None is the mean of the prior, moved as a whole first.
    """
    precision, face = NOISE * np.linalg.inv(prior[1]), (points, people.normals)
    if start is None:
        start = Fit(prior[0], Similarity(1.0, np.eye(3), np.zeros(3)), prior[1])
        for _ in range(RIGID):
            start = _round(face, artists, (prior[0], precision), start, free=False)
    for _ in range(ROUNDS):
        start = _round(face, artists, (prior[0], precision), start, free=True)
    return start


def _round(
    face: tuple[Array, Array], artists: Artists, prior: tuple[Array, Array], fit: Fit, free: bool
) -> Fit:
    """One step of point-to-plane least squares for the pose and, if `free`, the coefficients."""
    mean, precision = prior
    surface = Surface(artists.shape(fit.coefficients), artists.faces)
    moved, facing = fit.pose.apply(face[0]), face[1] @ fit.pose.rotation.T
    triangles, weights = closest(moved, surface)
    corners = artists.faces[triangles]
    normals = (weights[..., None] * surface.normals[corners]).sum(1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    gap = ((moved - (weights[..., None] * surface.vertices[corners]).sum(1)) * normals).sum(1)
    away = np.abs(gap)
    near = (away < REACH) & ((normals * facing).sum(1) > AGREE)
    share = near / (1 + (away / (2 * np.median(away) + 0.2)) ** 2) / near.sum()
    rows = np.concatenate([-np.cross(moved, normals), -normals], axis=1)
    if free:
        blend = (weights[..., None] * normals[:, None]).reshape(len(rows), 1, 9)
        along = (blend @ artists.moves[corners].reshape(len(rows), 9, -1))[:, 0]
        rows, gap = np.concatenate([rows, along], axis=1), gap + along @ fit.coefficients
    hessian = rows.T @ (rows * share[:, None])
    hessian[:6, :6] += 1e-9 * np.eye(6)
    right = rows.T @ (share * gap)
    if free:
        hessian[6:, 6:] += precision
        right[6:] += precision @ mean
    step = np.linalg.solve(hessian, right)
    covariance = NOISE * np.linalg.inv(hessian)[6:, 6:]
    there = step[6:] if free else fit.coefficients
    return Fit(there, _moved(fit.pose, step[:6]), covariance, float(away[near].mean()))


def closest(points: Array, surface: Surface) -> tuple[Array, Array]:
    """Face and barycentric weights of the nearest point of a surface."""
    face, weights = closest_on_mesh(
        torch.from_numpy(points).float(),
        torch.from_numpy(surface.vertices).float(),
        torch.from_numpy(surface.faces),
        candidates=CANDIDATES,
    )
    return face.numpy(), weights.double().numpy()


def _moved(pose: Similarity, step: Array) -> Similarity:
    x, y, z = step[:3]
    u, _, vt = np.linalg.svd(np.eye(3) + np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]))
    return Similarity(1.0, u @ vt @ pose.rotation, u @ vt @ pose.shift + step[3:])


def mirrored(artists: Artists, weights: Array) -> tuple[Array, Array]:
    """What a mirror makes of coefficients, `x @ matrix.T + shift`, by weighted least squares."""
    flip = np.array([-1.0, 1.0, 1.0])
    root = np.sqrt(weights)[:, None]

    def seen(shape: Array) -> Array:
        return (shape[..., artists.mirror, :] * flip * root).reshape(*shape.shape[:-2], -1)

    basis = (artists.directions * root).reshape(len(artists.directions), -1)
    solve = np.linalg.solve(basis @ basis.T, basis)
    shift = solve @ (seen(artists.mean) - (artists.mean * root).ravel())
    return solve @ seen(artists.directions).T, shift


def statistics(fits: list[Fit], mirror: tuple[Array, Array]) -> tuple[Array, Array]:
    """Mean and covariance of people and of their mirror images."""
    matrix, shift = mirror
    own = np.stack([fit.coefficients for fit in fits])
    posterior = np.mean([fit.covariance for fit in fits], axis=0)
    both = np.concatenate([own, own @ matrix.T + shift])
    posterior = (posterior + matrix @ posterior @ matrix.T) / 2
    return both.mean(0), np.cov(both.T) + posterior


def offset_of(fit: Fit, artists: Artists, people: People, region: Array) -> Array:
    """What the mean person has beyond the head that was fitted to it, V x 3 in millimetres.

    Args:
        fit: of the mean person.
        artists: the head.
        people: for the surface of the mean.
        region: how far each vertex may follow, 0 to 1.
    """
    used, faces = np.unique(artists.faces, return_inverse=True)
    shape = artists.shape(fit.coefficients)
    skin = Surface(shape[used], faces.reshape(artists.faces.shape))
    there = Surface(fit.pose.apply(people.mean.vertices), people.mean.faces)
    nothing = csc_matrix((0, len(used))), np.empty((0, 3)), np.empty(0)
    out = np.zeros_like(shape)
    out[used] = bend(skin, there, nothing) - skin.vertices
    out *= region[:, None]
    return (out + out[artists.mirror] * [-1, 1, 1]) / 2


def bare_face(regions: dict[str, Array]) -> Array:
    """The face without lids, which must stay on the eyeballs, and without what is inside."""
    region = regions["face"]
    for name in ("eyelids", "mouth", "teeth", "tongue", "eyeballs"):
        region = region * (1 - regions[name])
    return region


def main() -> None:
    """Fit everybody and write the statistics."""
    path = Path(sys.argv[1])
    head = build_head()
    made = build_artists(head)
    artists, people = Artists.of(head, made), read_people(path)
    rank = len(artists.directions)
    prior = np.zeros(rank), np.eye(rank)
    first = fit_person(people.mean.vertices[people.rows], people, artists, prior, None)
    fits = [fit_person(points, people, artists, prior, first) for points in people.faces]
    mean, covariance = statistics(fits, mirrored(artists, made.metric))
    offset = offset_of(first, artists, people, bare_face(made.regions))
    print(
        f"{np.mean([fit.distance for fit in fits]):.3f} mm; length of the mean "
        f"{np.linalg.norm(mean):.2f}, spread {np.sqrt(np.trace(covariance) / rank):.2f}; "
        f"offset {np.abs(offset).max():.2f} mm at the most"
    )
    np.savez_compressed(
        OUTPUT,
        mean=mean.astype(np.float32),
        covariance=covariance.astype(np.float32),
        offset=offset.astype(np.float16),
        lengths=np.linalg.norm(artists.directions.reshape(rank, -1), axis=1).astype(np.float32),
        source=np.bytes_(hashlib.sha256(path.read_bytes()).hexdigest()),
    )


if __name__ == "__main__":
    main()
