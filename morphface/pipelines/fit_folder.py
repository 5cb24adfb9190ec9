"""Which files a fit of before left in a folder, told before anything heavy is imported."""

from pathlib import Path

from morphface.pipelines.wishes import OUTPUTS

__all__ = ["FILE", "files_of"]

FILE = OUTPUTS["parameters"]
"""What holds a face that was fitted."""


def files_of(folder: Path) -> list[Path]:
    """Of a folder with one face, or with one folder for each; none if it holds no fit.

    Args:
        folder: to look into.
    """
    if (folder / FILE).is_file():
        return [folder / FILE]
    inside = [place / FILE for place in folder.glob("face_*")]
    return sorted((p for p in inside if p.is_file()), key=lambda p: (len(p.parent.name), p))
