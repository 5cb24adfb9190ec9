"""What can be used on this machine, and how to get the rest."""

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import torch

from morphface.core.errors import MorphfaceError
from morphface.core.version import __version__
from morphface.landmarks.detectors.model_file import find_model
from morphface.models.catalogue import MODELS
from morphface.render import backends

__all__ = ["Finding", "examine"]

_PACKAGES = ("torch", "numpy", "scipy", "numba", "mediapipe", "pillow")
_OFFLINE = "pip install 'morphface[offline]'"


@dataclass(frozen=True)
class Finding:
    """One thing that morphface can use.

    Args:
        kind: "version", "device", "backend", "detector", "model" or "sample".
        name: what it is called.
        usable: whether it can be used here and now.
        note: its version or place; if it cannot be used, how to get it.
    """

    kind: str
    name: str
    usable: bool
    note: str


def examine() -> list[Finding]:
    """Everything that morphface can use, whether it is there or not."""
    return [
        Finding("version", "morphface", True, __version__),
        Finding("version", "python", True, platform.python_version()),
        *(_package(name) for name in _PACKAGES),
        *_devices(),
        *_backends(),
        _mediapipe(),
        _retinaface(),
        *(Finding("model", name, path.is_file(), str(path)) for name, path in MODELS.items()),
        _sample(),
    ]


def _package(name: str) -> Finding:
    try:
        return Finding("version", name, True, version(name))
    except PackageNotFoundError:
        return Finding("version", name, False, f"pip install {name}")


def _devices() -> list[Finding]:
    there = torch.cuda.is_available()
    note = torch.cuda.get_device_name() if there else "needs an NVIDIA GPU and torch with CUDA"
    threads = f"{torch.get_num_threads()} threads"
    return [Finding("device", "cpu", True, threads), Finding("device", "cuda", there, note)]


_BACKENDS = {
    "cpu": "numba kernels, the default on a CPU",
    "nvdiffrast": "the default on CUDA, not for commercial use",
    "pytorch3d": "on CUDA the default without nvdiffrast; slow on a CPU",
    "reference": "plain torch, slow",
}


def _backends() -> list[Finding]:
    """Each backend on the device it is for; what stands in its way if it cannot run there."""
    cuda = torch.cuda.is_available()
    findings = []
    for name in backends.NAMES:
        device = torch.device("cuda" if cuda and name != "cpu" else "cpu")
        reason = backends.obstacle(name, device)
        if name == "nvdiffrast" and not cuda:
            reason = "needs an NVIDIA GPU and torch with CUDA; not for commercial use"
        findings.append(Finding("backend", name, reason is None, reason or _BACKENDS[name]))
    return findings


def _mediapipe() -> Finding:
    if find_spec("mediapipe") is None:
        return Finding("detector", "mediapipe", False, "pip install mediapipe")
    try:
        path = find_model()
    except MorphfaceError as error:
        return Finding("detector", "mediapipe", False, str(error))
    if path is None:
        way = f"its model file is fetched on first use; without a network: {_OFFLINE}"
        return Finding("detector", "mediapipe", False, way)
    return Finding("detector", "mediapipe", True, f"the default; model file {path}")


def _retinaface() -> Finding:
    if find_spec("retinaface") is None:
        way = "optional: pip install --no-deps retinaface-pytorch (box and five points)"
        return Finding("detector", "retinaface", False, way)
    return Finding("detector", "retinaface", True, "box and five points")


def _sample() -> Finding:
    there = find_spec("skimage") is not None
    return Finding("sample", "astronaut", there, "sample:astronaut" if there else _OFFLINE)
