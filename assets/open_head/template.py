"""The head's mesh: skin cut at the neck, mouth, teeth and tongue of the source, our eyeballs."""

from dataclasses import dataclass

import numpy as np

from source import Template, mirror_of, read_template, vertex_groups

EYES = ("helper-l-eye", "helper-r-eye")
INSIDE = ("helper-upper-teeth", "helper-lower-teeth", "helper-tongue")
NECK_HEIGHT, NECK_SLOPE, NECK_DEPTH = 575.0, -0.45, 20.0  # the cut is higher at the nape
IRIS_RADIUS, PUPIL_RADIUS = 5.85, 1.9  # mm, of an adult
EYE_DISTANCE = 63.0  # mm between the eyes of the mean: adults' mean (Dodgson 2004)
EYE_SEGMENTS = 28


@dataclass(frozen=True)
class Head:
    """The head's mesh, still in the source's frame.

    Attributes:
        keep: source vertices of skin, mouth, teeth and tongue, in our order; eyeballs follow.
        faces: triangles over our vertices.
        uv: texture coordinates, packed.
        uv_faces: their triangles.
        parts: our vertices by part name.
        mirror: the vertex on the other side.
        eye_sources: source vertices of the left and the right eyeball.
        unit_eyes: the left and the right eyeball as unit spheres that look along +z.
    """

    keep: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    uv_faces: np.ndarray
    parts: dict[str, np.ndarray]
    mirror: np.ndarray
    eye_sources: tuple[np.ndarray, np.ndarray]
    unit_eyes: tuple[np.ndarray, np.ndarray]

    @property
    def size(self) -> int:
        """Number of vertices."""
        return len(self.keep) + sum(len(eye) for eye in self.unit_eyes)

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


def _triangulate(positions: np.ndarray, quads: np.ndarray, uvs: np.ndarray) -> list[np.ndarray]:
    """Split quads along their shorter diagonal, the same way on both sides of the face."""
    a, b, c, d = (positions[quads[:, k]] for k in range(4))
    first = np.linalg.norm(a - c, axis=1) <= np.linalg.norm(b - d, axis=1) * (1 + 1e-9)
    one = np.where(first[:, None], [[0, 1, 2]], [[0, 1, 3]])
    two = np.where(first[:, None], [[0, 2, 3]], [[1, 2, 3]])
    corners = np.concatenate([one, two])
    return [np.take_along_axis(np.concatenate([q, q]), corners, 1) for q in (quads, uvs)]


def _rings(radius: float) -> np.ndarray:
    """Polar angles of the rings of an eyeball of `radius` mm; some bound pupil and iris."""
    pupil, iris = np.arcsin(PUPIL_RADIUS / radius), np.arcsin(IRIS_RADIUS / radius)
    front = [pupil * 0.94, pupil * 1.06, (pupil + iris) / 2, iris * 0.96, iris * 1.04]
    return np.array([*front, *np.linspace(iris * 1.04, np.radians(150), 7)[1:]])


def unit_eye(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A unit sphere with its pole at +z, rings about it, and its triangles."""
    theta = _rings(radius)[:, None]
    phi = np.arange(EYE_SEGMENTS) * (2 * np.pi / EYE_SEGMENTS)
    x, y = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi)
    z = np.cos(theta) + 0 * phi
    rings = np.stack([x, y, z], -1).reshape(-1, 3)
    vertices = np.concatenate([rings, [[0, 0, 1.0], [0, 0, -1.0]]])
    j = np.arange(EYE_SEGMENTS)
    k = (j + 1) % EYE_SEGMENTS
    front, back = len(rings), len(rings) + 1
    faces = [np.stack([np.full_like(j, front), j, k], 1)]
    for row in range(len(theta) - 1):
        a, b = row * EYE_SEGMENTS + j, row * EYE_SEGMENTS + k
        faces += [np.stack([a, a + EYE_SEGMENTS, b], 1)]
        faces += [np.stack([b, a + EYE_SEGMENTS, b + EYE_SEGMENTS], 1)]
    last = (len(theta) - 1) * EYE_SEGMENTS
    faces.append(np.stack([np.full_like(j, back), last + k, last + j], 1))
    return vertices, np.concatenate(faces)


def _place(uv: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    low, high = uv.min(0), uv.max(0)
    left, bottom, right, top = box
    return (uv - low) / (high - low) * [right - left, top - bottom] + [left, bottom]


def _pack(uv: np.ndarray, islands: list[np.ndarray]) -> np.ndarray:
    """Move the source's islands into our layout: the face upright below, small parts above.

    The order of `islands` is skin, mouth, nape, upper teeth, lower teeth, tongue, eye sockets.
    """
    packed = uv.copy()
    boxes = (
        (0.005, 0.005, 0.995, 0.745),
        (0.005, 0.76, 0.245, 0.995),
        (0.26, 0.885, 0.475, 0.995),
        (0.26, 0.76, 0.36, 0.81),
        (0.26, 0.825, 0.36, 0.875),
        (0.375, 0.76, 0.475, 0.875),
        (0.49, 0.76, 0.565, 0.87),
        (0.49, 0.885, 0.565, 0.995),
    )
    for rows, box in zip(islands, boxes, strict=True):
        island = uv[rows]
        if box is boxes[0]:
            island = island[:, [1, 0]] * [1, -1]
        packed[rows] = _place(island, box)
    return packed


def _islands(uv_quads: np.ndarray, size: int) -> np.ndarray:
    """A label for each texture point: points of one label hang together."""
    label = np.arange(size)
    while True:
        lowest = label[uv_quads].min(1)
        new = label.copy()
        for corner in range(4):
            np.minimum.at(new, uv_quads[:, corner], lowest)
        new = new[new]
        if (new == label).all():
            return label
        label = new


def _sort_islands(uv: np.ndarray, quads: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    """Texture points of the islands in the order that `_pack` wants."""
    label = _islands(quads, len(uv))
    names, counts = np.unique(label[quads[groups == "body"]].ravel(), return_counts=True)
    skin, *rest = (np.flatnonzero(label == n) for n in names[np.argsort(-counts)])
    rest.sort(key=lambda rows: uv[rows, 1].mean())
    mouth, *sockets, nape = rest
    sockets.sort(key=lambda rows: uv[rows, 0].mean())
    inner = [np.unique(quads[groups == name]) for name in INSIDE]
    return [skin, mouth, nape, *inner, *sockets]


def _add_eyes(size: int, uv_size: int, radius: float) -> tuple[list, list, list, list]:
    """Faces, texture points, texture faces and unit spheres of both eyeballs."""
    ball, triangles = unit_eye(radius)
    faces, uvs, uv_faces, units = [], [], [], []
    for side, corner in ((0, (0.69, 0.8775)), (1, (0.89, 0.8775))):
        flip = np.array([-1.0 if side else 1.0, 1, 1])
        order = triangles[:, ::-1] if side else triangles
        polar = np.arccos(ball[:, 2].clip(-1, 1)) / np.pi
        length = np.maximum(np.linalg.norm(ball[:, :2], axis=1), 1e-9)
        uvs.append(corner + 0.095 * (polar / length)[:, None] * ball[:, :2] * flip[:2])
        faces.append(order + size + side * len(ball))
        uv_faces.append(order + uv_size + side * len(ball))
        units.append(ball * flip)
    return faces, uvs, uv_faces, units


def build_head() -> Head:
    """Cut, triangulate, add eyeballs and pack the texture layout."""
    template, groups = read_template(), vertex_groups()
    chosen = _neck_cut(template) | np.isin(template.groups, INSIDE)
    quads, quad_uvs = template.quads[chosen], template.quad_uvs[chosen]
    names = template.groups[chosen]
    keep, flat = np.unique(quads, return_inverse=True)
    uv_keep, uv_flat = np.unique(quad_uvs, return_inverse=True)
    quads, quad_uvs = flat.reshape(-1, 4), uv_flat.reshape(-1, 4)
    uv = _pack(template.uv[uv_keep], _sort_islands(template.uv[uv_keep], quad_uvs, names))
    faces, uv_faces = _triangulate(template.vertices[keep], quads, quad_uvs)
    sources = tuple(groups[name] for name in EYES)
    eye = template.vertices[sources[0]]
    radius = float(np.ptp(eye, axis=0).mean() / 2)
    eye_faces, eye_uvs, eye_uv_faces, units = _add_eyes(len(keep), len(uv), radius)
    position = np.full(len(template.vertices), -1)
    position[keep] = np.arange(len(keep))
    balls = len(keep) + np.arange(2 * len(units[0])).reshape(2, -1)
    parts = {"left_eye": balls[0], "right_eye": balls[1], "skin": np.unique(quads[names == "body"])}
    parts |= {n.removeprefix("helper-"): np.unique(quads[names == n]) for n in INSIDE}
    mirror = position[mirror_of(len(template.vertices))[keep]]
    return Head(
        keep,
        np.concatenate([faces, *eye_faces]),
        np.concatenate([uv, *eye_uvs]),
        np.concatenate([uv_faces, *eye_uv_faces]),
        parts,
        np.concatenate([mirror, balls[1], balls[0]]),
        sources,
        (units[0], units[1]),
    )
