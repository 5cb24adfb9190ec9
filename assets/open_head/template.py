"""The head's mesh: skin cut at the neck, mouth, teeth and tongue of the source, our eyeballs."""

from dataclasses import dataclass

import numpy as np

import layout
from lattice import eye_lattice, lip_rings
from source import Template, mirror_of, read_template, vertex_groups

EYES = ("helper-l-eye", "helper-r-eye")
INSIDE = ("helper-upper-teeth", "helper-lower-teeth", "helper-tongue")
NECK_HEIGHT, NECK_SLOPE, NECK_DEPTH = 575.0, -0.45, 20.0  # the cut is higher at the nape
IRIS_RADIUS, PUPIL_RADIUS = 5.9, 1.9  # mm, of an adult
SOURCE_IRIS = 5.85  # mm
EYE_DISTANCE = 63.0  # mm between the eyes of the mean: adults' mean (Dodgson 2004)
EYE_SEGMENTS = 28
FRONT_RINGS = {"pupil": 1, "iris": 4}  # rings of an eyeball before the end of each


@dataclass(frozen=True)
class Head:
    """The head's mesh; its positions are kept apart.

    Attributes:
        keep: source vertices that come first, in our order; made parts and eyeballs follow.
        faces: triangles over our vertices.
        uv: texture coordinates, packed.
        uv_faces: their triangles.
        parts: our vertices by part name.
        mirror: the vertex on the other side.
        lids: the lattice around the left and the right eye, see `lattice.py`.
        lips: the ring where lips end inside, and that on which they touch.
        eye_sources: source vertices of the left and the right eyeball.
        unit_eyes: the left and the right eyeball as unit spheres that look along +z.
    """

    keep: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    uv_faces: np.ndarray
    parts: dict[str, np.ndarray]
    mirror: np.ndarray
    lids: tuple[np.ndarray, np.ndarray]
    lips: np.ndarray
    eye_sources: tuple[np.ndarray, np.ndarray]
    unit_eyes: tuple[np.ndarray, np.ndarray]

    @property
    def size(self) -> int:
        """Number of vertices."""
        return len(self.mirror)

    def positions(self, kept: np.ndarray, eye_sources: np.ndarray) -> np.ndarray:
        """Our vertices from source positions, `samples` x ... x 3.

        Args:
            kept: positions of `keep`.
            eye_sources: positions of the left and then the right eyeball of the source.
        """
        left = len(self.eye_sources[0])
        balls = []
        halves = (eye_sources[..., :left, :], eye_sources[..., left:, :])
        for source, unit in zip(halves, self.unit_eyes, strict=True):
            centre, radius = ball_of(source)
            balls.append(centre[..., None, :] + radius[..., None, None] * unit)
        return np.concatenate([kept, *balls], axis=-2)


def ball_of(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre of the box around an eyeball's points, ... x N x 3, and their mean distance to it."""
    centre = (points.max(-2) + points.min(-2)) / 2
    return centre, np.linalg.norm(points - centre[..., None, :], axis=-1).mean(-1)


def _neck_cut(template: Template) -> np.ndarray:
    """Which quads of the body belong to the head; tabs along the cut are removed."""
    body = template.groups == "body"
    v = template.vertices
    above = v[:, 1] > NECK_HEIGHT + NECK_SLOPE * (v[:, 2] - NECK_DEPTH)
    chosen = body & above[template.quads].all(1)
    while True:
        quads = template.quads[chosen]
        edges = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1), -1).reshape(-1, 2)
        _, inverse, counts = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
        open_edges = (counts[inverse.ravel()] == 1).reshape(-1, 4).sum(1)
        tabs = np.flatnonzero(chosen)[open_edges >= 2]
        if len(tabs) == 0:
            return chosen
        chosen[tabs] = False


def triangulate(positions: np.ndarray, quads: np.ndarray, uvs: np.ndarray) -> list[np.ndarray]:
    """Split quads along their shorter diagonal, the same way on both sides of the face."""
    a, b, c, d = (positions[quads[:, k]] for k in range(4))
    first = np.linalg.norm(a - c, axis=1) <= np.linalg.norm(b - d, axis=1) * (1 + 1e-9)
    one = np.where(first[:, None], [[0, 1, 2]], [[0, 1, 3]])
    two = np.where(first[:, None], [[0, 2, 3]], [[1, 2, 3]])
    corners = np.concatenate([one, two])
    return [np.take_along_axis(np.concatenate([q, q]), corners, 1) for q in (quads, uvs)]


def rings(radius: float) -> np.ndarray:
    """Polar angles of the rings of an eyeball of `radius` mm; some bound pupil, iris and limbus."""
    pupil, iris = np.arcsin(PUPIL_RADIUS / radius), np.arcsin(IRIS_RADIUS / radius)
    front = [pupil * 0.94, pupil * 1.06, iris * 0.8, iris * 0.96, iris * 1.04]
    return np.array([*front, *np.linspace(iris * 1.04, np.radians(150), 7)[1:]])


def source_rings(radius: float) -> np.ndarray:
    """Those of the source's eyeballs, as the components of `population.npz` know them."""
    pupil, iris = np.arcsin(PUPIL_RADIUS / radius), np.arcsin(SOURCE_IRIS / radius)
    front = [pupil * 0.94, pupil * 1.06, (pupil + iris) / 2, iris * 0.96, iris * 1.04]
    return np.array([*front, *np.linspace(iris * 1.04, np.radians(150), 7)[1:]])


def unit_eye(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A unit sphere with its pole at +z, rings at polar angles about it, and its triangles."""
    theta = theta[:, None]
    phi = np.arange(EYE_SEGMENTS) * (2 * np.pi / EYE_SEGMENTS)
    x, y = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi)
    z = np.cos(theta) + 0 * phi
    circles = np.stack([x, y, z], -1).reshape(-1, 3)
    vertices = np.concatenate([circles, [[0, 0, 1.0], [0, 0, -1.0]]])
    j = np.arange(EYE_SEGMENTS)
    k = (j + 1) % EYE_SEGMENTS
    front, back = len(circles), len(circles) + 1
    faces = [np.stack([np.full_like(j, front), j, k], 1)]
    for row in range(len(theta) - 1):
        a, b = row * EYE_SEGMENTS + j, row * EYE_SEGMENTS + k
        faces += [np.stack([a, a + EYE_SEGMENTS, b], 1)]
        faces += [np.stack([b, a + EYE_SEGMENTS, b + EYE_SEGMENTS], 1)]
    last = (len(theta) - 1) * EYE_SEGMENTS
    faces.append(np.stack([np.full_like(j, back), last + k, last + j], 1))
    return vertices, np.concatenate(faces)


@dataclass(frozen=True)
class Eyeballs:
    """Both eyeballs, to be added to a mesh.

    Attributes:
        units: unit spheres.
        faces: over the vertices of each.
        uvs: texture points of each.
        uv_faces: over these.
    """

    units: list[np.ndarray]
    faces: list[np.ndarray]
    uvs: list[np.ndarray]
    uv_faces: list[np.ndarray]

    def faces_from(self, size: int) -> list[np.ndarray]:
        """The faces, if the vertices before the eyeballs are so many."""
        return [f + size + side * len(self.units[0]) for side, f in enumerate(self.faces)]

    def uv_faces_from(self, size: int) -> list[np.ndarray]:
        """The faces of the texture, if the texture points before them are so many."""
        return [f + size + side * len(self.uvs[0]) for side, f in enumerate(self.uv_faces)]


def eyeballs(theta: np.ndarray) -> Eyeballs:
    """Eyeballs with rings at polar angles; each back pole has as many texture points as faces."""
    ball, triangles = unit_eye(theta)
    out = Eyeballs([], [], [], [])
    phi = (np.arange(EYE_SEGMENTS) + 0.5) * (2 * np.pi / EYE_SEGMENTS)
    rear = np.stack([1e-6 * np.cos(phi), 1e-6 * np.sin(phi), -np.ones(EYE_SEGMENTS)], -1)
    for side in (0, 1):
        flip = np.array([-1.0 if side else 1.0, 1, 1])
        faces = triangles[:, ::-1] if side else triangles
        uv_faces = triangles.copy()
        uv_faces[-EYE_SEGMENTS:, 0] = len(ball) - 1 + np.arange(EYE_SEGMENTS)
        out.units.append(ball * flip)
        out.faces.append(faces)
        out.uvs.append(layout.place_eye(np.concatenate([ball[:-1], rear]) * flip, side))
        out.uv_faces.append(uv_faces[:, ::-1] if side else uv_faces)
    return out


def _packed(
    uv: np.ndarray, quads: np.ndarray, names: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Texture points in our layout, and those of the islands by name."""
    found = layout.of_skin(uv, quads[names == "body"])
    found["tongue"] = np.unique(quads[names == "helper-tongue"])
    packed = uv.copy()
    for name, rows in found.items():
        box = layout.BOXES.get(name)
        packed[rows] = layout.place(uv[rows], box) if box else layout.place_skin(uv[rows])
    return packed, found


def build_head() -> Head:
    """Cut, triangulate, add eyeballs and pack the texture layout."""
    template, groups = read_template(), vertex_groups()
    chosen = _neck_cut(template) | np.isin(template.groups, INSIDE)
    quads, quad_uvs = template.quads[chosen], template.quad_uvs[chosen]
    names = template.groups[chosen]
    keep, flat = np.unique(quads, return_inverse=True)
    uv_keep, uv_flat = np.unique(quad_uvs, return_inverse=True)
    quads, quad_uvs = flat.reshape(-1, 4), uv_flat.reshape(-1, 4)
    uv, found = _packed(template.uv[uv_keep], quad_uvs, names)
    faces, uv_faces = triangulate(template.vertices[keep], quads, quad_uvs)
    sources = tuple(groups[name] for name in EYES)
    eye = template.vertices[sources[0]]
    eyes = eyeballs(source_rings(float(np.ptp(eye, axis=0).mean() / 2)))
    position = np.full(len(template.vertices), -1)
    position[keep] = np.arange(len(keep))
    balls = len(keep) + np.arange(2 * len(eyes.units[0])).reshape(2, -1)
    parts = {"left_eye": balls[0], "right_eye": balls[1], "skin": np.unique(quads[names == "body"])}
    parts |= {n.removeprefix("helper-"): np.unique(quads[names == n]) for n in INSIDE}
    mirror = position[mirror_of(len(template.vertices))[keep]]
    skin, socket, mouth = (
        quads[np.isin(quad_uvs[:, 0], found[name])] for name in ("skin", "left socket", "mouth")
    )
    lattice = eye_lattice(skin, socket, template.vertices[keep])
    return Head(
        keep,
        np.concatenate([faces, *eyes.faces_from(len(keep))]),
        np.concatenate([uv, *eyes.uvs]),
        np.concatenate([uv_faces, *eyes.uv_faces_from(len(uv))]),
        parts,
        np.concatenate([mirror, balls[1], balls[0]]),
        (lattice, mirror[lattice]),
        lip_rings(skin, mouth),
        sources,
        (eyes.units[0], eyes.units[1]),
    )
