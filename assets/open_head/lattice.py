"""The rings of quads around each eye: from behind the eyeball, over the margin, out to the brow.

The source's eyes are drawn as concentric loops of equally many vertices. A socket, a piece of the
texture of its own, ends in one of them, from which the others are found from quad to quad.
"""

import numpy as np

COLUMNS = 28
SOCKET_RINGS = 10  # behind the one where the socket ends
SKIN_RINGS = 9  # before it
SEAM = SOCKET_RINGS  # index of the ring where the socket ends
FOLD = SEAM + 1  # where the conjunctiva turns from the lid to the eyeball
MARGIN = FOLD + 1  # the inner edge of the lids' margins; all skin of the lids follows
Quads = np.ndarray


def eye_lattice(skin: Quads, socket: Quads, positions: np.ndarray) -> np.ndarray:
    """Vertices around the left eye, rings x columns, the ring deepest in the head first.

    Columns run from the inner corner along the lower lid to the outer one, and back above.

    Args:
        skin: quads before the seam of the socket.
        socket: those behind it.
        positions: of all vertices.
    """
    seam = _loop(skin, np.intersect1d(skin, socket))
    inner = _walk(socket, seam, SOCKET_RINGS)
    outer = _walk(skin, seam, SKIN_RINGS)
    lattice = np.array([*inner[::-1], seam, *outer])
    margin = positions[lattice[MARGIN]]
    start = margin[:, 0].argmin()
    lattice = np.roll(lattice, -start, axis=1)
    turned = positions[lattice[MARGIN, 5], 1] > positions[lattice[MARGIN, -5], 1]
    return np.roll(lattice[:, ::-1], 1, axis=1) if turned else lattice


def lip_rings(skin: Quads, mouth: Quads) -> np.ndarray:
    """The ring where the inside of the mouth ends, and the one before it, on which lips touch.

    Args:
        skin: quads before the seam of the mouth.
        mouth: those behind it.
    """
    seam = _loop(skin, np.intersect1d(skin, mouth))
    return np.array([seam, *_walk(skin, seam, 1)])


def _edges(quads: Quads) -> dict[tuple[int, int], list[int]]:
    """The quads at each edge."""
    out: dict[tuple[int, int], list[int]] = {}
    for number, quad in enumerate(quads):
        for a, b in zip(quad, np.roll(quad, -1), strict=True):
            out.setdefault((min(a, b), max(a, b)), []).append(number)
    return out


def _loop(quads: Quads, members: np.ndarray) -> list[int]:
    """Vertices that bound `quads`, one after the other."""
    inside = set(members.tolist())
    follows = {}
    for quad in quads:
        for a, b in zip(quad, np.roll(quad, -1), strict=True):
            if a in inside and b in inside:
                follows[int(a)] = int(b)
    loop = [min(follows)]
    while len(loop) < len(follows):
        loop.append(follows[loop[-1]])
    return loop


def _walk(quads: Quads, loop: list[int], count: int) -> list[list[int]]:
    """So many rings beyond `loop`."""
    edges, used, rings = _edges(quads), set(), []
    for _ in range(count):
        beyond: dict[int, int] = {}
        for a, b in zip(loop, [*loop[1:], loop[0]], strict=True):
            (number,) = (n for n in edges[min(a, b), max(a, b)] if n not in used)
            used.add(number)
            quad = quads[number].tolist()
            beyond[a] = _across(quad, a, b)
            beyond[b] = _across(quad, b, a)
        loop = [beyond[vertex] for vertex in loop]
        rings.append(loop)
    return rings


def _across(quad: list[int], corner: int, other: int) -> int:
    """The neighbour of a quad's corner that is not `other`."""
    at = quad.index(corner)
    before, after = quad[at - 1], quad[(at + 1) % 4]
    return before if after == other else after
