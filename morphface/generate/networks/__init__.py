"""Networks: from windows of maps to frames, and what judges them."""

from morphface.generate.networks.conr import Conr
from morphface.generate.networks.dagan import Dagan
from morphface.generate.networks.depth import FaceDepth
from morphface.generate.networks.dvp import TranslationNetwork
from morphface.generate.networks.headgan import HeadGan
from morphface.generate.networks.judges import HeadJudges
from morphface.generate.networks.lia import Lia, relative_motion
from morphface.generate.networks.painted import Painted
from morphface.generate.networks.patch import PatchDiscriminator
from morphface.generate.networks.point_judge import PointJudge
from morphface.generate.networks.style_judge import StyleJudge

__all__ = [
    "Conr",
    "Dagan",
    "FaceDepth",
    "HeadGan",
    "HeadJudges",
    "Lia",
    "Painted",
    "PatchDiscriminator",
    "PointJudge",
    "StyleJudge",
    "TranslationNetwork",
    "relative_motion",
]
