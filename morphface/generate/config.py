"""What a generator was made for. It travels inside the checkpoint and is checked on loading."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from morphface.core.errors import ParameterError
from morphface.generate.windows import PADDINGS

__all__ = ["GeneratorConfig", "difference"]

FORMAT = "morphface generator"
VERSION = 6
_ADDED = {
    1: frozenset[str](),
    2: frozenset({"style", "style_sizes", "flow_prior", "blend"}),
    3: frozenset({"fusion"}),
    4: frozenset({"stacks", "fine"}),
    5: frozenset({"attention"}),
    6: frozenset({"keypoints", "depth"}),
}
"""Fields that each version of the format brought; older files mean their defaults."""
ORDERS = ("after", "before", "none")
NORMS = ("batch", "instance")
ATTENTIONS = ("depth", "picture", "none")
KEYPOINTS = ("mesh", "learned")
DEPTHS = ("raster", "learned")
BLIND = ("lia", "dagan", "depth")
"""Kinds that may do without maps."""
_OF_DAGAN = {"attention": ATTENTIONS, "keypoints": KEYPOINTS, "depth": DEPTHS}
RESOLUTIONS = tuple(2**k for k in range(5, 11))


@dataclass(frozen=True)
class GeneratorConfig:
    """Everything that must be the same where a generator is trained and where it is used.

    Args:
        kind: of network, such as "dvp".
        resolution: height and width of what goes in and out, a power of two from 32 to 1024.
        maps: names of the maps of a frame, in the order of their channels.
        channels: how many each map has.
        offsets: frames of the window from the one to make, oldest first; 0 is that frame itself.
        padding: what stands for frames before the first: a copy of it, or zeros.
        signed: whether maps are in [-1, 1], empty is -1; [0, 1] otherwise.
        model: name of the morphable model that the maps show; empty if that does not matter.
        refinement: where the two refining convolutions of a module stand from its upsampling one.
        norm: of the features; instance norm also serves batches of one.
        width: channels of the first module; they double up to eight times that.
        dropout: of the first three modules that upsample.
        style: names of the parts of the vector that drives frames beside the maps, such as "sound".
        style_sizes: how many numbers each part has.
        flow_prior: whether photos come with the flow of the mesh, from which the network's starts.
        blend: whether frames are the moved photo with what is painted added to it; painted whole
            otherwise.
        fusion: whether the network learns which of several photos to trust where, beside what the
            flow of the mesh tells.
        stacks: hourglasses in a row of the coarse level of an implicit head.
        fine: channels of the features of its fine level; 0 leaves that out.
        attention: what asks in the attention of dagan: depth, or the picture itself, which then
            is all that is looked at; "none" leaves the attention out.
        keypoints: where those of dagan come from: vertices of the mesh, or a network that finds
            them in pictures, which then are the motion of frames.
        depth: where that of dagan comes from: the rasterizer, as a map, or a network.

    Raises:
        ParameterError: a value is none of those above.
    """

    kind: str = "dvp"
    resolution: int = 256
    maps: tuple[str, ...] = ("diffuse", "correspondence", "gaze")
    channels: tuple[int, ...] = (3, 3, 3)
    offsets: tuple[int, ...] = tuple(range(-10, 1))
    padding: str = "replicate"
    signed: bool = True
    model: str = "open-head"
    refinement: str = "after"
    norm: str = "batch"
    width: int = 64
    dropout: float = 0.5
    style: tuple[str, ...] = ()
    style_sizes: tuple[int, ...] = ()
    flow_prior: bool = True
    blend: bool = False
    fusion: bool = False
    stacks: int = 1
    fine: int = 0
    attention: str = "depth"
    keypoints: str = "mesh"
    depth: str = "raster"

    def __post_init__(self) -> None:
        _check_choice("resolution", self.resolution, RESOLUTIONS)
        _check_choice("refinement", self.refinement, ORDERS)
        _check_choice("norm", self.norm, NORMS)
        _check_choice("padding", self.padding, PADDINGS)
        for name, choices in _OF_DAGAN.items():
            value = getattr(self, name)
            _check_choice(name, value, choices)
            if value != choices[0] and self.kind != "dagan":
                raise ParameterError(
                    f"{name} is chosen for dagan alone, got {value!r} for {self.kind}"
                )
        if (not self.maps and self.kind not in BLIND) or len(set(self.maps)) != len(self.maps):
            raise ParameterError(f"maps must be names, each once, got {self.maps}")
        if len(self.channels) != len(self.maps) or min(self.channels, default=1) < 1:
            raise ParameterError(
                f"channels must have one positive number for each of {len(self.maps)} maps, "
                f"got {self.channels}"
            )
        if 0 not in self.offsets or tuple(sorted(set(self.offsets))) != tuple(self.offsets):
            raise ParameterError(f"offsets must rise and have 0 among them, got {self.offsets}")
        if self.width < 1 or not 0 <= self.dropout < 1:
            raise ParameterError(
                f"width must be positive and dropout in [0, 1), got {self.width} and {self.dropout}"
            )
        if self.stacks < 1 or self.fine < 0:
            raise ParameterError(
                f"stacks must be positive and fine not negative, got {self.stacks} and {self.fine}"
            )
        named = len(set(self.style)) == len(self.style) == len(self.style_sizes)
        if not named or min(self.style_sizes, default=1) < 1:
            raise ParameterError(
                "style must be names, each once, and style_sizes a positive number for each, "
                f"got {self.style} and {self.style_sizes}"
            )

    @property
    def style_dim(self) -> int:
        """Numbers of the style vector; with none there are no layers for it."""
        return sum(self.style_sizes)

    @property
    def window_channels(self) -> int:
        """Channels of a window: 99 for the three maps of Deep Video Portraits in 11 frames."""
        return sum(self.channels) * len(self.offsets)

    def replace(self, **changes: Any) -> "GeneratorConfig":
        """A copy with other values."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """As text, with the version of the format."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "GeneratorConfig":
        """The inverse of `to_json`.

        Raises:
            ParameterError: the text is none, or of a newer version.
        """
        values: dict[str, Any]
        try:
            values = json.loads(text)
            kind, version = values.pop("format"), values.pop("version")
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ParameterError("this is not the configuration of a generator") from error
        if kind != FORMAT or version not in _ADDED:
            raise ParameterError(
                f"the configuration is {kind!r} version {version}, this morphface reads "
                f"{FORMAT!r} up to version {VERSION}"
            )
        later = {name for added in _ADDED for name in _ADDED[added] if added > version}
        wanted = {field.name for field in fields(cls)} - later
        if set(values) != wanted:
            odd = ", ".join(sorted(set(values) ^ wanted))
            raise ParameterError(f"the configuration of a generator is damaged at: {odd}")
        for name, value in values.items():
            values[name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)


def difference(made: GeneratorConfig, wanted: GeneratorConfig) -> str:
    """Where two configurations differ, in words; empty if they do not.

    Args:
        made: of a checkpoint.
        wanted: what it shall serve.
    """
    return "; ".join(
        f"{field.name} is {_words(getattr(made, field.name))}, "
        f"wanted {_words(getattr(wanted, field.name))}"
        for field in fields(GeneratorConfig)
        if getattr(made, field.name) != getattr(wanted, field.name)
    )


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    if value not in choices:
        raise ParameterError(f"{name} must be one of {_words(choices)}, got {value!r}")
