"""Hair, skin and clothes of the person of a fitted head, told apart by their colours.

The mesh knows where each is to be expected and seeds a histogram of its colours; every pixel of
the person then belongs to what its place and its colour speak for. What is worn on the head counts
as hair: it moves as hair does.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, binary_propagation, gaussian_filter, label
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.sight import Sight
from morphface.segment.filters import blurred, distance, guided, single
from morphface.segment.matte import Working

__all__ = ["Labels", "label_person"]

BEARD = 0.15
"""How far below where it grows a beard may hang, in sizes of the head."""
EARS = 0.06
"""How far beside the ears of the mesh those of the photo may be, in sizes of the head."""
LINE = 0.006
"""Half of how wide hair is at least that more of it hangs from, in sizes of the head."""
STRAND = 0.06
"""How long strands are that are thinner."""
GROWN = 0.15
"""Share of where beards grow from which hair there is one."""
INNER = 0.02
"""How far within a head its outline is mixed with what is behind, in sizes of it."""
HUE = 0.2, 0.5
"""Shares of the face's hue, which is chroma by lightness, in what is no skin, and in skin."""
GREY = 0.05, 0.12
"""That of a face in a picture without colours, and in one with them."""
COLLAR = 0.6, 0.75
"""How far down a face collars may begin: not at all, and anywhere below."""
DARK = 16.0
"""Lightness in CIE Lab below which a hue is not sure."""
BINS = 24
"""Of a histogram, along each axis of CIE Lab."""
SMOOTH = 1.3
"""Standard deviation by which a histogram is smoothed, in its bins."""
ROUNDS = 2
COARSE = 12
"""Pixels of the radius in which gaps of a mask are closed: more take long and change nothing."""
SOFT = 0.01
"""Radius of the guided filter, in sizes of the head."""
REGIONS = ("face", "ears", "neck", "scalp", "lips", "brows", "eyelids", "eyeballs", "beard")


@dataclass(frozen=True, eq=False)
class Labels:
    """What each pixel of a person shows; the three are 1 together within the person.

    Args:
        hair: hair, and what is worn on the head.
        skin: of face, ears and neck.
        clothes: and the rest of the body.
    """

    hair: Float[np.ndarray, "H W"]
    skin: Float[np.ndarray, "H W"]
    clothes: Float[np.ndarray, "H W"]


def label_person(
    sight: Sight,
    regions: dict[str, Float[Tensor, " V"]],
    height: Float[Tensor, " V"],
    matte: Float[np.ndarray, "H W"],
    work: Working,
) -> Labels:
    """What each pixel of the working size shows.

    Args:
        sight: the photo and the head in it.
        regions: of the mesh.
        height: of each vertex above the end of the neck, in millimetres.
        matte: where the person is.
        work: what `working_size` makes of `sight`.
    """
    import cv2

    seen = _regions_seen(sight, regions, height, work)
    lab = cv2.cvtColor(work.pixels, cv2.COLOR_RGB2LAB)
    place = np.clip(np.stack([lab[..., 0] / 100, (lab[..., 1] + 64) / 128], -1), 0, 1)
    place = np.concatenate([place, np.clip((lab[..., 2:] + 64) / 128, 0, 1)], -1)
    bins = tuple(np.minimum((place * BINS).astype(int), BINS - 1).reshape(-1, 3).T)
    deep = distance(work.head) / work.size
    priors = _priors(seen, work, deep, _other_hue(lab, seen, matte))
    shares = priors
    for _ in range(ROUNDS):
        likely = []
        for prior, share in zip(priors, shares, strict=True):
            weight = matte * np.where(share > 0.6, share, 0.0)
            likely.append(prior * (_chance(bins, weight) + 2e-6))
        total = sum(likely) + 1e-12
        shares = [part / total for part in likely]
    fixed = seen["inner"]
    shares[1] = np.maximum(shares[1], fixed)
    radius = max(SOFT * work.size, 1.0)
    guide = work.pixels.mean(-1)
    soft = [np.clip(guided(guide, single(part), radius), 0, 1) for part in shares]
    soft[0], soft[2] = (part * (1 - fixed) for part in (soft[0], soft[2]))
    inner = np.clip(deep / INNER - 1, 0, 1) * seen["face"]
    grown = soft[2] * inner  # a beard or a mask: nobody has a shirt on the face
    soft[0], soft[2] = soft[0] + grown, soft[2] - grown
    alone = soft[0] * (1 - _hangs_together(soft[0] * matte, seen["beard"] > 0.5, work))
    barer = (soft[1] + 1e-3) / (soft[1] + soft[2] + 1e-2)
    for k, share in enumerate((-1.0, barer, 1 - barer)):
        soft[k] = soft[k] + share * alone
    total = sum(soft) + 1e-6
    return Labels(*(single(part / total) for part in soft))


def _regions_seen(
    sight: Sight, regions: dict[str, Tensor], height: Float[Tensor, " V"], work: Working
) -> dict[str, Float[np.ndarray, "H W"]]:
    """Each region of the mesh where it is seen, its height, and the part that is face for sure."""
    blank = torch.zeros(len(sight.vertices))
    values = [regions.get(name, blank) for name in REGIONS]
    screen = sight.camera.project(sight.vertices) * torch.tensor([work.scale, work.scale, 1.0])
    perspective = sight.camera.weak_depth is None
    size = work.pixels.shape[0], work.pixels.shape[1]
    found = rasterize(screen[None], sight.faces, size, perspective=perspective)
    shown = interpolate(torch.stack([*values, height], -1)[None], sight.faces, found)[0].numpy()
    seen = {name: shown[..., k] for k, name in enumerate((*REGIONS, "height"))}
    features = np.maximum.reduce([seen[name] for name in ("lips", "brows", "eyelids", "eyeballs")])
    around = features > 0.3
    spread = _closed(around, max(round(0.16 * work.size), 1))
    soft = blurred(spread, 0.01 * work.size) * np.maximum(seen["face"], features)
    seen["inner"] = single(np.clip(2 * soft, 0, 1))
    return seen


def _closed(mask: Bool[np.ndarray, "H W"], radius: int) -> Float[np.ndarray, "H W"]:
    """A mask with its gaps closed: what lies between brows, eyes and mouth belongs to them."""
    import cv2

    ratio = max(radius // COARSE, 1)
    size = max(mask.shape[1] // ratio, 1), max(mask.shape[0] // ratio, 1)
    small = cv2.resize(single(mask), size, interpolation=cv2.INTER_AREA)
    side = 2 * (radius // ratio) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.resize(closed, mask.shape[::-1]))


def _priors(
    seen: dict[str, np.ndarray],
    work: Working,
    deep: Float[np.ndarray, "H W"],
    other: Float[np.ndarray, "H W"],
) -> list[Float[np.ndarray, "H W"]]:
    """What each pixel of the person shows, as far as its place tells: hair, skin, clothes."""
    head, size = work.head, work.size
    rows, columns = np.nonzero(head)
    y, x = np.mgrid[: head.shape[0], : head.shape[1]] + 0.5
    if not len(rows):
        return [np.full(head.shape, share) for share in (0.2, 0.2, 0.6)]
    face = seen["face"] > 0.5
    low = float(np.quantile(rows, 0.995))
    chin = float(np.nonzero(face)[0].max()) if face.any() else low
    below = 1 / (1 + np.exp(-(y - (0.5 * chin + 0.5 * low)) / (0.035 * size)))
    hair = 0.75 * (1 - below) + 0.25 * below
    skin = 0.1 * (1 - other)
    clothes = 0.02 * (1 - below) + 0.7 * below
    collar = seen["neck"] * other
    neck = 0.75 * (seen["neck"] - collar)
    bare = np.clip(np.maximum.reduce([seen["face"], seen["ears"], neck]), 0, 1)
    bare = bare * np.clip(deep / 0.02, 0, 1)
    worn = seen["scalp"] * head
    skin = np.where(head, 0.15 + 0.75 * bare * (1 - worn), skin)
    hidden = np.clip(np.maximum(worn, 1 - bare - collar), 0, 1)
    hair = np.where(head, 0.12 + 0.8 * hidden, hair * np.where(head, 0, 1))
    # Ears of a mesh are seldom quite where those of a photo are: beside them colours tell.
    ears = seen["ears"] > 0.5
    beside = ears.any() & ~head & (distance(~ears) < EARS * size)
    hair, skin = np.where(beside, np.minimum(hair, 0.5), hair), np.where(beside, 0.4, skin)
    end = np.clip(1 - seen["height"] / 25, 0, 1) * head
    clothes = np.where(head, 0.02 + 0.25 * seen["neck"] + 0.6 * np.maximum(end, collar), clothes)
    total = hair + skin + clothes
    return [part / total for part in (hair, skin, clothes)]


def _other_hue(
    lab: Float[np.ndarray, "H W 3"],
    seen: dict[str, Float[np.ndarray, "H W"]],
    matte: Float[np.ndarray, "H W"],
) -> Float[np.ndarray, "H W"]:
    """How far what is beside and below a jaw has not the hue of the face, in light or in shade."""
    hue = lab[..., 1:] / (lab[..., :1] + DARK)
    face = (seen["face"] > 0.9) & (seen["beard"] < 0.1) & (matte > 0.9)
    if not face.any():
        return np.zeros_like(matte)
    usual = np.median(hue[face], axis=0)
    strong = float(np.linalg.norm(usual))
    share = hue @ usual / max(strong, 1e-6) ** 2
    told = ramp(np.asarray(strong), *GREY)
    top, end = np.nonzero(face)[0][[0, -1]]
    down = (np.arange(len(hue))[:, None] - top) / max(end - top, 1)
    return single(told * ramp(down, *COLLAR) * ramp(share, *HUE[::-1]))


def _hangs_together(
    hair: Float[np.ndarray, "H W"], beard: Bool[np.ndarray, "H W"], work: Working
) -> Float[np.ndarray, "H W"]:
    """Where hair is connected with some above the middle of the head, or near a chin with that.

    A shirt is not, nor a neck to which only a line leads, along a jaw or behind an ear.
    """
    import cv2

    side = 2 * max(round(LINE * work.size), 1) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    parts, _ = label(cv2.morphologyEx((hair > 0.4).astype(np.uint8), cv2.MORPH_OPEN, kernel))
    top = parts[: max(round(work.middle[1]), 1)]
    kept = np.isin(parts, np.unique(top[top > 0]))
    near = distance(~kept) < STRAND * work.size
    kept = binary_propagation(kept, mask=near & (hair > 0.4))
    if (beard & (hair > 0.4)).sum() > GROWN * beard.sum():
        below, _ = label((hair > 0.4) & (distance(~beard) < BEARD * work.size))
        grown = below[beard]
        kept |= np.isin(below, np.unique(grown[grown > 0]))
    return blurred(single(binary_dilation(kept, iterations=2)), 1.0)


def _chance(
    bins: tuple[np.ndarray, ...], weight: Float[np.ndarray, "H W"]
) -> Float[np.ndarray, "H W"]:
    """How common each pixel's colour is among those with weight."""
    table = np.zeros((BINS,) * 3)
    np.add.at(table, bins, weight.ravel())
    table = gaussian_filter(table, SMOOTH)
    found: Float[np.ndarray, "H W"] = (table / max(table.sum(), 1e-9))[bins].reshape(weight.shape)
    return found
