"""Maps in, frames out: generators that turn windows of conditioning maps into video."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.generate.checkpoint import load_generator, read_config, save_generator
    from morphface.generate.config import GeneratorConfig
    from morphface.generate.fast import quickened
    from morphface.generate.frames import Frames, MemoryFrames, ShardFrames
    from morphface.generate.generator import (
        GENERATORS,
        Generator,
        config_of,
        generator_of,
        make_generator,
    )
    from morphface.generate.implicit import (
        Implicit,
        Probes,
        ProbeSource,
        extracted,
        occupancy,
        space_code,
    )
    from morphface.generate.losses import (
        ADVERSARIAL,
        discriminator_loss,
        feature_matching,
        generator_loss,
        perceptual,
        temporal,
    )
    from morphface.generate.needs import NEEDS, Needs, check_photos, needs_of
    from morphface.generate.networks import (
        Conr,
        Dagan,
        HeadGan,
        HeadJudges,
        Lia,
        Painted,
        PatchDiscriminator,
        PointJudge,
        StyleJudge,
        TranslationNetwork,
        relative_motion,
    )
    from morphface.generate.reference import Reference
    from morphface.generate.stream import stream_frames, stream_windows
    from morphface.generate.take import Take, Takes, stacked_takes
    from morphface.generate.training import Observer, TrainSettings, train_generator
    from morphface.generate.windows import PADDINGS, ConditioningWindows, WindowOrder, to_signed

__all__ = [
    "ADVERSARIAL",
    "ConditioningWindows",
    "Conr",
    "Dagan",
    "Frames",
    "GENERATORS",
    "Generator",
    "GeneratorConfig",
    "HeadGan",
    "HeadJudges",
    "Implicit",
    "Lia",
    "MemoryFrames",
    "NEEDS",
    "Needs",
    "Observer",
    "PADDINGS",
    "Painted",
    "PatchDiscriminator",
    "PointJudge",
    "ProbeSource",
    "Probes",
    "Reference",
    "ShardFrames",
    "StyleJudge",
    "Take",
    "Takes",
    "TrainSettings",
    "TranslationNetwork",
    "WindowOrder",
    "check_photos",
    "config_of",
    "discriminator_loss",
    "extracted",
    "feature_matching",
    "generator_loss",
    "generator_of",
    "load_generator",
    "make_generator",
    "needs_of",
    "occupancy",
    "perceptual",
    "quickened",
    "read_config",
    "relative_motion",
    "save_generator",
    "space_code",
    "stacked_takes",
    "stream_frames",
    "stream_windows",
    "temporal",
    "to_signed",
    "train_generator",
]

_HOMES = {
    "ADVERSARIAL": "losses",
    "ConditioningWindows": "windows",
    "Conr": "networks",
    "Dagan": "networks",
    "Frames": "frames",
    "GENERATORS": "generator",
    "Generator": "generator",
    "GeneratorConfig": "config",
    "HeadGan": "networks",
    "HeadJudges": "networks",
    "Implicit": "implicit",
    "Lia": "networks",
    "MemoryFrames": "frames",
    "NEEDS": "needs",
    "Needs": "needs",
    "Observer": "training",
    "PADDINGS": "windows",
    "Painted": "networks",
    "PatchDiscriminator": "networks",
    "PointJudge": "networks",
    "ProbeSource": "implicit",
    "Probes": "implicit",
    "Reference": "reference",
    "ShardFrames": "frames",
    "StyleJudge": "networks",
    "Take": "take",
    "Takes": "take",
    "TrainSettings": "training",
    "TranslationNetwork": "networks",
    "WindowOrder": "windows",
    "check_photos": "needs",
    "config_of": "generator",
    "discriminator_loss": "losses",
    "extracted": "implicit",
    "feature_matching": "losses",
    "generator_loss": "losses",
    "generator_of": "generator",
    "load_generator": "checkpoint",
    "make_generator": "generator",
    "needs_of": "needs",
    "occupancy": "implicit",
    "perceptual": "losses",
    "quickened": "fast",
    "read_config": "checkpoint",
    "relative_motion": "networks",
    "save_generator": "checkpoint",
    "space_code": "implicit",
    "stacked_takes": "take",
    "stream_frames": "stream",
    "stream_windows": "stream",
    "temporal": "losses",
    "to_signed": "windows",
    "train_generator": "training",
}

__getattr__ = lazy_names(__name__, _HOMES)
