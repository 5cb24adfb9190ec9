"""A trained generator made quick to run: norms folded into convolutions, channels last, bf16.

Spectral norm is worked out once. Modules that are marked `precise`, such as the one that says how
far pixels move, stay in float32.
"""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format
from torch.nn.utils.parametrize import is_parametrized

from morphface.core.errors import ParameterError

__all__ = ["has_bfloat16", "quickened"]


def quickened(generator: nn.Module, *, bfloat16: bool | None = None) -> nn.Module:
    """A copy that makes the same frames sooner; it cannot be trained.

    Args:
        generator: trained, in `eval` mode; stays as it is.
        bfloat16: compute in bfloat16, to about two decimal digits; None does where the device
            has instructions for it.

    Raises:
        ParameterError: the generator is in training mode.
    """
    if generator.training:
        raise ParameterError("generator must be in eval mode to be quickened, it is in training")
    quick = copy.deepcopy(generator).requires_grad_(False)
    for module in list(quick.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d) and is_parametrized(child, "weight"):
                setattr(module, name, _plain(child))
        if isinstance(module, nn.Sequential):
            _fold(module)
    convert_conv2d_weight_memory_format(quick, torch.channels_last)
    device = next(quick.parameters()).device
    if has_bfloat16(device) if bfloat16 is None else bfloat16:
        quick = quick.to(torch.bfloat16)
        for module in quick.modules():
            if getattr(module, "precise", False):
                module.float()
    return quick


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies matrices of bfloat16 faster than those of float32.

    Args:
        device: a CPU or a CUDA GPU.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    tests = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")  # not in every torch
    return any(getattr(torch.cpu, name, bool)() for name in tests)


def _plain(module: nn.Conv2d) -> nn.Conv2d:
    """A convolution with the weights that spectral norm gives it now."""
    made = nn.Conv2d(
        module.in_channels,
        module.out_channels,
        module.kernel_size,  # type: ignore[arg-type]  # torch names no length
        module.stride,  # type: ignore[arg-type]
        module.padding,  # type: ignore[arg-type]
        padding_mode=module.padding_mode,
    )
    weights = {"weight": module.weight.detach(), "bias": module.bias}
    made.load_state_dict({name: value for name, value in weights.items() if value is not None})
    return made.requires_grad_(False).to(module.weight.device)


def _fold(block: nn.Sequential) -> None:
    """Take batch norms that follow a convolution into its weights; drop what does nothing."""
    kept: list[nn.Module] = []
    for module in block:
        last = kept[-1] if kept else None
        if isinstance(module, nn.BatchNorm2d) and isinstance(last, nn.Conv2d | nn.ConvTranspose2d):
            _fuse(last, module)
        elif not isinstance(module, nn.Dropout | nn.Identity):
            kept.append(module)
    for name in list(dict(block.named_children())):
        delattr(block, name)
    for number, module in enumerate(kept):
        block.add_module(str(number), module)


def _fuse(convolution: nn.Conv2d | nn.ConvTranspose2d, norm: nn.BatchNorm2d) -> None:
    if norm.running_mean is None or norm.running_var is None:
        raise ParameterError("a norm without running statistics cannot be folded")
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
        transpose=isinstance(convolution, nn.ConvTranspose2d),
    )
