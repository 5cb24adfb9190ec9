"""Whether a training run will fit in memory, known before it starts."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import nn

from morphface.generate.config import GeneratorConfig
from morphface.generate.generator import generator_of
from morphface.generate.implicit.probes import SPACE
from morphface.generate.networks.backbones import Backbone
from morphface.generate.networks.dense_motion import PAIR, count_of
from morphface.generate.reference import Reference
from morphface.generate.training.depth import FRAMES
from morphface.generate.training.settings import TrainSettings
from morphface.generate.training.state import JUDGES

__all__ = ["free_memory", "memory_needed"]

_COPIES = 4  # weight, gradient, and Adam's two moments
_SPECTRAL = "parametrizations"  # torch's name for the child that holds spectral norm
_OVERHEAD = 1.25  # workspaces of convolutions, gradients of features


def memory_needed(config: GeneratorConfig, settings: TrainSettings, processes: int = 1) -> int:
    """About how many bytes a process needs to train, an estimate from the shapes of all features.

    Args:
        config: of the generator.
        settings: whose batch is shared by the processes.
        processes: how many there are.
    """
    batch = max(math.ceil(settings.batch / processes), 1)
    side, judges = config.resolution, 3  # of real and made frames, then of made ones again
    with torch.device("meta"):
        generator, judge = generator_of(config), JUDGES[config.kind](config)
        kept = _features(generator, *_given(config, settings)) / 2 * settings.photos
        if settings.adversarial != "none":
            kept += judges * _features(judge, *_shown(config)) / 2
        size = 4 if settings.precision == "no" else 2
        if settings.vgg and (eyes := settings.eyes) != "auto":  # real and made, in full precision
            kept += 4 / size * _features(Backbone(eyes), torch.empty(2, 3, side, side))
    kept += config.window_channels * side**2 * 3
    weights = _COPIES * (_numbers(generator) + _numbers(judge)) + _numbers(generator)
    return int(4 * weights + _OVERHEAD * size * batch * kept)


def _given(config: GeneratorConfig, settings: TrainSettings) -> tuple[Any, ...]:
    """What a generator makes two frames from."""
    side = config.resolution
    if config.kind == "implicit":
        picture = torch.empty(2, 3 + sum(config.channels), side, side)
        return picture, *(torch.empty(2, settings.points, size) for size in (2, SPACE))
    if config.kind == "depth":
        sources = torch.empty(2, FRAMES - 1, 3, side, side)
        return torch.empty(2, 3, side, side), sources
    window = torch.empty(2, config.window_channels, side, side)
    if config.kind == "dvp":
        return (window,)
    channels = {"photo": 3, "maps": sum(config.channels), "matte": 1, "flow": 2, "valid": 1}
    parts = {name: torch.empty(2, count, side, side) for name, count in channels.items()}
    return window, (Reference(**parts),), torch.empty(2, config.style_dim)


def _shown(config: GeneratorConfig) -> tuple[torch.Tensor, ...]:
    """What a judge sees of two frames."""
    side = config.resolution
    frame = torch.empty(2, 3, side, side)
    if config.kind == "dvp":
        return torch.empty(2, config.window_channels, side, side), frame
    points = PAIR * count_of(config)
    with torch.device("cpu"):  # whose values say where the mouth is
        mouth = torch.zeros(2, 2)
    return (
        torch.empty(2, sum(config.channels), side, side),
        frame,
        mouth,
        torch.empty(2, points if config.kind == "dagan" else config.style_dim),
    )


def free_memory(device: torch.device) -> int | None:
    """Bytes that are free on a device, or None where the system does not tell.

    Args:
        device: a CPU or a CUDA GPU.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def _features(network: nn.Module, *inputs: Any) -> int:
    """Numbers that a backward pass keeps: what goes into, and comes out of, every layer."""
    count = 0

    def add(_: nn.Module, __: object, output: torch.Tensor) -> None:
        nonlocal count
        count += output.numel()

    inner = {id(part) for m in network.modules() for part in _reparametrised(m)}
    leaves = [
        module
        for module in network.modules()
        if id(module) not in inner and not set(dict(module.named_children())) - {_SPECTRAL}
    ]
    hooks = [module.register_forward_hook(add) for module in leaves]
    network(*inputs)
    for hook in hooks:
        hook.remove()
    return count


def _reparametrised(module: nn.Module) -> list[nn.Module]:
    """What makes the weights of a module, such as spectral norm: no features come out of it."""
    return [part for part in getattr(module, _SPECTRAL, nn.Module()).modules()]


def _numbers(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
