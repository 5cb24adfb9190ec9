"""What pictures that were made from photos say about themselves."""

from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from morphface.core.version import __version__
from morphface.media.images import Photo, write_image, write_photo
from morphface.pipelines.panels import WORDS, Label

__all__ = ["labelled", "made_note", "made_tags", "tags_saying", "write_made"]


def made_note(source: str | Path, *, shown: float | None = None) -> str:
    """One sentence for the metadata of a picture.

    Args:
        source: the file it was made from.
        shown: the share of the head that the source shows, 0 to 1; None says nothing of it.
    """
    name = str(source) if str(source).startswith("sample:") else Path(source).name
    share = "" if shown is None else f"; shown_by_source={100 * shown:.0f}%"
    return (
        "Synthesised from a photo, not recorded by a camera: "
        f"synthesised_by=morphface {__version__}; source={name}{share}"
    )


def made_tags(source: str | Path) -> dict[str, str]:
    """The same as the tags of a video.

    Args:
        source: the file it was made from.
    """
    return tags_saying(made_note(source))


def tags_saying(note: str) -> dict[str, str]:
    """The tags of a video that was made.

    Args:
        note: what it was made of, in a sentence.
    """
    tool = f"morphface {__version__}"
    return {"title": "synthesised video", "comment": note, "encoding_tool": tool}


def labelled(pixels: Float[Tensor, "H W 3"]) -> Float[Tensor, "H W 3"]:
    """A picture with the word `synthetic` in a corner of it.

    Args:
        pixels: to be labelled.
    """
    return Label.of(WORDS, (pixels.shape[0], pixels.shape[1])).over(pixels, "bottom right")


def write_made(
    path: str | Path,
    pixels: Float[Tensor, "H W 3"],
    note: str,
    *,
    label: bool,
    photo: Photo | None = None,
) -> None:
    """Write a picture that says that it was made.

    Args:
        path: where to.
        pixels: RGB in [0, 1].
        note: that says so; see `made_note`.
        label: whether it says so visibly, too.
        photo: whose transparency, depth and colour profile the picture keeps; None for none.

    Raises:
        OutputError: the file cannot be written.
    """
    shown = labelled(pixels) if label else pixels
    if photo is None:
        write_image(path, shown, note=note)
    else:
        write_photo(path, shown, photo, note=note)
