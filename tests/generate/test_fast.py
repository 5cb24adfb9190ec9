import pytest
import torch
from torch import nn

from morphface.core.errors import ParameterError
from morphface.generate.fast import quickened
from morphface.generate.generator import make_generator


def trained(**options):
    """A generator whose norms are not at rest."""
    torch.manual_seed(0)
    generator = make_generator(resolution=32, width=8, **options)
    with torch.no_grad():
        for _ in range(3):
            generator(torch.randn(4, 99, 32, 32))
        for module in generator.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.bias.uniform_(-0.5, 0.5)
    return generator.eval()


@pytest.mark.parametrize("refinement", ["after", "before", "none"])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_quickened_generator_makes_the_same_frames(refinement, norm):
    generator = trained(refinement=refinement, norm=norm)
    quick = quickened(generator, bfloat16=False)
    window = torch.randn(2, 99, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(quick(window), generator(window), rtol=1e-4, atol=1e-5)


def test_no_batch_norm_is_left_and_the_original_is_untouched():
    generator = trained()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    quick = quickened(generator, bfloat16=False)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.modules())
    for name, value in generator.state_dict().items():
        assert torch.equal(value, before[name])


def test_bfloat16_is_near():
    generator = trained()
    quick = quickened(generator, bfloat16=True)
    window = torch.randn(2, 99, 32, 32)
    with torch.no_grad():
        made = quick(window.bfloat16()).float()
        assert (made - generator(window)).abs().mean() < 0.02


@pytest.mark.refusal
def test_a_generator_in_training_is_refused():
    with pytest.raises(ParameterError, match="must be in eval mode to be quickened"):
        quickened(make_generator(resolution=32, width=4))
