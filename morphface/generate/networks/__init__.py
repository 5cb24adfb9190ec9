"""Networks: from windows of maps to frames, and what judges them."""

from morphface.generate.networks.dvp import TranslationNetwork
from morphface.generate.networks.patch import PatchDiscriminator

__all__ = ["PatchDiscriminator", "TranslationNetwork"]
