"""What commands refuse, and what they begin, before they import anything heavy."""

from collections.abc import Mapping, Sequence
from glob import has_magic
from pathlib import Path
from typing import Any

from morphface.core.ahead import load_torch_ahead

__all__ = ["check_early", "check_run", "is_many", "start_with_picture"]


def is_many(images: Sequence[str]) -> bool:
    """Whether that is more than one picture, or may be: a folder, or a pattern.

    The folder of a fit stands for its photo.

    Args:
        images: as typed.
    """
    from morphface.pipelines.fit_folder import files_of

    one = images[0]
    pictures = Path(one).is_dir() and not files_of(Path(one))
    return len(images) > 1 or pictures or (has_magic(one) and not Path(one).exists())


def check_early(options: Mapping[str, Any]) -> None:
    """Refuse options that no fit could have.

    Args:
        options: of a fit; those that are not there are not looked at.

    Raises:
        ParameterError: one of them is wrong.
        MissingFileError: there is no such file of landmarks.
    """
    from morphface.core.errors import LandmarkError
    from morphface.media.paths import check_file
    from morphface.pipelines.wishes import (
        check_detail,
        check_outputs,
        check_texture_size,
        check_wishes,
    )

    focal = options.get("focal")
    for one in focal if isinstance(focal, list) else [focal]:
        check_wishes(one, options.get("stage", "pixels"))
    check_texture_size(options.get("texture_size"))
    check_detail(options.get("detail", False), options.get("stage", "pixels"))
    check_outputs(options.get("only", ()))
    if options.get("strict"):
        from morphface.fit.verdict.record import check_kinds

        check_kinds(options["strict"])
    if options.get("landmarks") is not None:
        check_file(Path(options["landmarks"]), "file of landmarks", LandmarkError)


def check_run(run: Path) -> None:
    """Refuse a run that is not there.

    Args:
        run: the folder of one, or its file of weights.

    Raises:
        MissingFileError: there is none.
    """
    from morphface.core.errors import MissingFileError

    if not run.exists():
        raise MissingFileError(
            f"there is no generator at {run}; name the folder that `morphface train` wrote"
        )


def start_with_picture(image: str) -> None:
    """Refuse what is no picture, and begin to load what a fit of one needs.

    torch's libraries load beside the import of what finds faces. An earlier fit needs no finding.

    Args:
        image: a path or a sample; or a `face.npz`, or a folder.

    Raises:
        MorphfaceError: it cannot be a picture.
    """
    from morphface.media.header import check_picture

    if Path(image).suffix.lower() == ".npz" or Path(image).is_dir():
        load_torch_ahead()
        return
    check_picture(image)
    load_torch_ahead()
    try:
        import mediapipe  # noqa: F401  while torch's libraries load
    except ImportError:  # told where it is used
        return
