"""What is skin and what is not, by colours alone: a mixture that is fitted to one face.

Skin is one colour under a smooth light: the logarithm of its brightness is a harmonic of the
normal, its chroma nearly the same everywhere, near that of people. Anything else is as likely to
have one colour as another. Skin is known first, and its light most, around the mouth: else brown
hair on a forehead is explained as skin that a slanting light leaves in the dark. Both are told
apart by expectation and maximisation; neighbours share what they are.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from morphface.fit.covered.raster import SIDE, FaceRaster
from morphface.geometry.spherical_harmonics import sh_basis

__all__ = ["Skin", "channels_of", "smoothed", "tell_skin"]

_NOISE = 0.02
"""Of a picture's values, added before logarithms."""
_CHROMA = np.array([0.36, -0.30])
"""Mean logarithms of red and of blue over green of skin; that of the open head's people."""
_CHROMA_SPREAD = np.array([0.15, 0.20])
"""Their standard deviations over people and white balances."""
_LEAST, _MOST = np.array([0.12, 0.05]), np.array([0.24, 0.10])
"""Limits of the standard deviations of brightness, beyond what light explains, and of chroma, as
logarithms. Chosen, as what follows, on the tuning half of `benchmarks/bench_cover.py`."""
_BANDS = np.repeat([30.0, 0.4, 0.12], [1, 3, 5])
"""Standard deviations of light's harmonics, in logarithms."""
_DRIFT = 0.15
"""Standard deviation of what chroma changes by where the normal turns by a radian."""
_OTHER = 0.15
"""Share of a face that is expected to be hidden, and ..."""
_OTHER_DENSITY = -np.log(3.0)
"""... the logarithm of the density of its colours: over three of brightness, one of each chroma."""
_PATCHES = 20.0
"""How many independent pixels a face has."""
_ROUNDS = 15
_FEWEST = 60
"""Pixels of skin below which nothing is told."""
_SURE = 6.0
"""The greatest logarithm of odds of a pixel alone."""
_WIDTH = 0.025
"""Over which neighbours share what they are, in sizes of the face."""
_MIDDLE, _AROUND = 55.0, 25.0
"""Millimetres around the mouth that hair seldom reaches, by which skin is known first, and over
which that fades; as `_FLOOR`, chosen on half of some forty portraits."""
_FLOOR = 0.1
"""What skin counts beyond that for the light, if all of the middle is bare."""
_GREY = 0.01
"""Mean chroma below which a picture has no colours."""
_SHADE = 0.35
"""What shade is allowed to be where darkness is judged, a logarithm."""


@dataclass(frozen=True, eq=False)
class Skin:
    """What was told of each pixel.

    Args:
        odds: the logarithm of the odds that it is hidden, smoothed.
        dark: how much darker it is than skin would be there, a logarithm.
    """

    odds: Float[np.ndarray, "h w"]
    dark: Float[np.ndarray, "h w"]


def channels_of(colours: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    """Logarithms of brightness, of red over green and of blue over green.

    Args:
        colours: RGB in [0, 1].
    """
    red, green, blue = np.moveaxis(np.log(colours + _NOISE), -1, 0)
    bright = np.log(colours.mean(axis=-1) + _NOISE)
    return np.stack([bright, red - green, blue - green], axis=-1)


def smoothed(
    values: Float[np.ndarray, "h w"], weight: Float[np.ndarray, "h w"], width: float
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Mean around each pixel of those that count, and how many of them there are, as a share.

    Args:
        values: of pixels.
        weight: how much each counts.
        width: standard deviation, in sizes of a face.
    """
    near = gaussian_filter(weight.astype(float), width * SIDE)
    return gaussian_filter(values * weight, width * SIDE) / np.maximum(near, 1e-3), near


def tell_skin(face: FaceRaster) -> Skin | None:
    """What of a face is skin; None where too little of it is in the picture.

    Args:
        face: as the photo shows it.
    """
    if int(face.skin.sum()) < _FEWEST:
        return None
    channels = channels_of(face.colours)
    values = channels[face.skin]
    harmonics = _harmonics(face.normals[face.skin])
    mean = np.zeros(2) if np.abs(values[:, 1:]).mean() < _GREY else _CHROMA
    central = _middle(face)
    level, weight = _first(values, mean, central)
    slopes = np.column_stack([np.ones(len(values)), face.normals[face.skin] - [0.0, 0.0, 0.8]])
    spreads = np.array([0.2, 0.1])
    for _ in range(_ROUNDS):
        light = _ridge(harmonics, values[:, 0] - level, weight, spreads[0], _BANDS)
        off = [values[:, 0] - level - harmonics @ light]
        for k in (0, 1):
            wide = np.array([_CHROMA_SPREAD[k], *[_DRIFT] * 3])
            tint = _ridge(slopes, values[:, k + 1] - mean[k], weight, spreads[1], wide)
            off.append(values[:, k + 1] - mean[k] - slopes @ tint)
        squares = np.square(off)
        total = weight.sum()
        spreads = np.sqrt([squares[0] @ weight / total, squares[1:].sum(0) @ weight / total / 2])
        spreads = np.clip(spreads, _LEAST, _MOST)
        picture = np.zeros(face.skin.shape)
        picture[face.skin] = _odds(squares, values[:, 0], spreads)
        odds, _ = smoothed(picture, face.skin, _WIDTH)
        weight = 1 / (1 + np.exp(2 * odds[face.skin]))
        bare = float(central @ weight / central.sum())
        weight = weight * np.maximum(central, 1 - (1 - _FLOOR) * bare**2)
    wide_odds, _ = smoothed(picture, face.skin, 0.07)
    _, near = smoothed(picture, face.skin, _WIDTH)
    shade = np.clip(_harmonics(face.normals.reshape(-1, 3)) @ light, -_SHADE, _SHADE)
    bright, _ = smoothed(channels[..., 0], face.skin, 1.0 / SIDE)
    return Skin(
        odds=np.where(near > 0.1, odds, wide_odds),
        dark=level + shade.reshape(face.skin.shape) - bright,
    )


def _harmonics(normals: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 9"]:
    """Up to the second band; the first is 1."""
    basis: Float[np.ndarray, "n 9"] = sh_basis(torch.from_numpy(normals).double()).numpy()
    return basis / 0.886


def _middle(face: FaceRaster) -> Float[np.ndarray, " n"]:
    """How near each pixel of skin is to the mouth, 0 to 1; 1 where no mouth is in the picture."""
    beyond = np.maximum(face.distance[face.skin] - _MIDDLE, 0)
    near = np.exp(-np.square(beyond / _AROUND))
    return near if near.sum() > _FEWEST else np.ones_like(near)


def _first(
    values: Float[np.ndarray, "n 3"], mean: Float[np.ndarray, "2"], central: Float[np.ndarray, " n"]
) -> tuple[float, Float[np.ndarray, " n"]]:
    """How bright skin is, and how likely each pixel is skin, by what is known of people."""
    away = (values[:, 1:] - mean) / (1.3 * _CHROMA_SPREAD)
    likely = central * np.exp(values[:, 0])
    likely = likely * (np.exp(-0.5 * np.square(away).sum(axis=1)) + 1e-3)
    order = np.argsort(values[:, 0])
    along = np.cumsum(likely[order])
    level = float(values[order, 0][np.searchsorted(along, 0.5 * along[-1])])
    likely = likely * np.exp(-0.5 * np.square((values[:, 0] - level) / 0.6))
    return level, likely / likely.max()


def _ridge(
    rows: Float[np.ndarray, "n k"],
    values: Float[np.ndarray, " n"],
    weight: Float[np.ndarray, " n"],
    noise: float,
    spread: Float[np.ndarray, " k"],
) -> Float[np.ndarray, " k"]:
    """Weighted least squares with a normal prior."""
    share = weight * (_PATCHES / max(float(weight.sum()), 1.0) / noise**2)
    normal = rows.T @ (rows * share[:, None]) + np.diag(spread**-2.0)
    solution: Float[np.ndarray, " k"] = np.linalg.solve(normal, rows.T @ (share * values))
    return solution


def _odds(
    squares: Float[np.ndarray, "3 n"],
    bright: Float[np.ndarray, " n"],
    spreads: Float[np.ndarray, "2"],
) -> Float[np.ndarray, " n"]:
    """Logarithms of the odds of each pixel alone; chroma says little where it is dark."""
    chroma = spreads[1] ** 2 + np.square(_NOISE / np.exp(bright))
    skin = -0.5 * (squares[0] / spreads[0] ** 2 + squares[1:].sum(axis=0) / chroma)
    skin = skin - np.log(spreads[0]) - np.log(chroma) - 1.5 * np.log(2 * np.pi)
    odds = _OTHER_DENSITY + np.log(_OTHER / (1 - _OTHER)) - skin
    return np.clip(odds, -_SURE, _SURE)
