"""Whether a training run will fit in memory, known before it starts."""

import math
from pathlib import Path

import torch
from torch import nn

from morphface.generate.config import GeneratorConfig
from morphface.generate.networks import PatchDiscriminator, TranslationNetwork
from morphface.generate.networks.backbones import Backbone
from morphface.generate.training.settings import TrainSettings

__all__ = ["free_memory", "memory_needed"]

_COPIES = 4  # weight, gradient, and Adam's two moments
_OVERHEAD = 1.25  # workspaces of convolutions, gradients of features


def memory_needed(config: GeneratorConfig, settings: TrainSettings, processes: int = 1) -> int:
    """About how many bytes a process needs to train, an estimate from the shapes of all features.

    Args:
        config: of the generator.
        settings: whose batch is shared by the processes.
        processes: how many there are.
    """
    batch = max(math.ceil(settings.batch / processes), 1)
    with torch.device("meta"):
        generator, judge = TranslationNetwork(config), PatchDiscriminator(config)
        side = config.resolution
        window = torch.empty(2, config.window_channels, side, side)
        kept = _features(generator, window) / 2
        if settings.adversarial != "none":  # of real and made frames, then of made ones again
            kept += 3 * _features(judge, window, torch.empty(2, 3, side, side)) / 2
        size = 4 if settings.precision == "no" else 2
        if settings.vgg:  # of real and made frames, in full precision
            kept += 4 / size * _features(Backbone("vgg19"), torch.empty(2, 3, side, side))
    kept += config.window_channels * side**2 * 3
    weights = _COPIES * (_numbers(generator) + _numbers(judge)) + _numbers(generator)
    return int(4 * weights + _OVERHEAD * size * batch * kept)


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


def _features(network: nn.Module, *inputs: torch.Tensor) -> int:
    """Numbers that a backward pass keeps: what goes into, and comes out of, every layer."""
    count = 0

    def add(_: nn.Module, __: object, output: torch.Tensor) -> None:
        nonlocal count
        count += output.numel()

    leaves = [module for module in network.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(add) for module in leaves]
    network(*inputs)
    for hook in hooks:
        hook.remove()
    return count


def _numbers(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
