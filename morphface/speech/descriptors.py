"""The 21 short-term descriptors of sound that HeadGAN's audio encoder is given.

Definitions are those of Giannakopoulos (2015), pyAudioAnalysis, in the order of that package; its
filter bank is that of Slaney's Auditory Toolbox (1998), with bins counted from the half spectrum.
Each works on all windows at once.
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.fft import dct
from torch import Tensor

from morphface.speech.phonemes import RATE

__all__ = ["DESCRIPTORS", "descriptors_of"]

_MFCC = 13
DESCRIPTORS = (
    *("zero_crossing_rate", "energy", "energy_entropy", "spectral_centroid", "spectral_spread"),
    *("spectral_entropy", "spectral_flux", "spectral_rolloff"),
    *(f"mfcc_{k}" for k in range(1, _MFCC + 1)),
)
"""Names of the descriptors, in order."""

_TINY = 2.0**-52
_BLOCKS = 10
_ROLLOFF = 0.9
_LOWEST, _LINEAR, _LOG = 133.333, 200.0 / 3.0, 1.0711703
"""Lowest frequency of Slaney's filter bank in hertz, its linear steps and its logarithmic ratio."""
_LINEARS, _LOGS = 13, 27


def descriptors_of(windows: Float[Tensor, "n w"]) -> Float[Tensor, "n 21"]:
    """The descriptors of consecutive short windows.

    Args:
        windows: samples at `RATE`.
    """
    count = windows.shape[1] // 2
    spectrum = torch.fft.fft(windows.double()).abs()[:, :count] / count
    signs = torch.sign(windows.double())
    crossings = signs.diff(dim=1).abs().sum(dim=1) / 2.0 / (windows.shape[1] - 1)
    energy = windows.double().square().mean(dim=1)
    centroid, spread = _moments(spectrum)
    parts = (
        *(crossings, energy, _entropy(windows.double()), centroid, spread, _entropy(spectrum)),
        *(_flux(spectrum), _rolloff(spectrum), *_mfcc(spectrum).unbind(1)),
    )
    return torch.stack(parts, dim=1).float()


def _entropy(values: Float[Tensor, "n w"]) -> Float[Tensor, " n"]:
    """Bits by which the energy is spread over ten blocks."""
    size = values.shape[1] // _BLOCKS
    whole = values.square().sum(dim=1, keepdim=True) + _TINY
    blocks = values[:, : size * _BLOCKS].unflatten(1, (_BLOCKS, size)).square().sum(dim=2) / whole
    return -(blocks * torch.log2(blocks + _TINY)).sum(dim=1)


def _moments(spectrum: Float[Tensor, "n c"]) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Mean and standard deviation of frequency, as shares of the highest."""
    count = spectrum.shape[1]
    frequency = torch.arange(1, count + 1, dtype=spectrum.dtype) / count
    most = spectrum.amax(dim=1, keepdim=True)
    share = spectrum / torch.where(most > 0, most, 1.0 / _TINY)
    total = share.sum(dim=1) + _TINY
    centroid = (share * frequency).sum(dim=1) / total
    spread = (share * (frequency - centroid[:, None]).square()).sum(dim=1) / total
    return centroid, spread.sqrt()


def _flux(spectrum: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """Squared change of the normalised spectrum since the window before."""
    share = spectrum / (spectrum.sum(dim=1, keepdim=True) + _TINY)
    change = share.diff(dim=0).square().sum(dim=1)
    return torch.cat([change.new_zeros(1), change])


def _rolloff(spectrum: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """Share of the spectrum that holds nine tenths of its energy."""
    power = spectrum.square().cumsum(dim=1) + _TINY
    beyond = power > _ROLLOFF * spectrum.square().sum(dim=1, keepdim=True)
    return beyond.double().argmax(dim=1) / spectrum.shape[1]


def _mfcc(spectrum: Float[Tensor, "n c"]) -> Float[Tensor, "n 13"]:
    energies = spectrum.numpy() @ _filters(spectrum.shape[1]).T
    cepstrum = dct(np.log10(energies + _TINY), type=2, norm="ortho", axis=1)
    return torch.from_numpy(np.ascontiguousarray(cepstrum[:, :_MFCC]))


@lru_cache(maxsize=8)
def _filters(count: int) -> np.ndarray:
    """Slaney's triangles, of equal area, over so many bins."""
    low = _LOWEST + np.arange(_LINEARS) * _LINEAR
    edges = np.concatenate([low, low[-1] * _LOG ** np.arange(1, _LOGS + 3)])
    below, middle, above = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    height = 2.0 / (above - below)
    number = np.arange(count)
    bins = number / count * RATE
    first, centre, last = (np.floor(e * count / RATE) for e in (below, middle, above))
    rising = height * (bins - below) / (middle - below)
    falling = height * (above - bins) / (above - middle)
    rise = (number > first) & (number <= centre)
    return np.where(rise, rising, np.where((number > centre) & (number <= last), falling, 0.0))
