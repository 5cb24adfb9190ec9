"""`morphface edit --ui`: the editor in a browser of this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from morphface.cli.early import start_with_picture
from morphface.cli.output import say, status
from morphface.core.errors import ParameterError

__all__ = ["edit_by_hand", "without_page"]


def edit_by_hand(
    image: str,
    port: int | None,
    typed: Mapping[str, Any],
    *,
    browser: bool,
    quiet: bool,
    fit: dict[str, Any],
) -> None:
    """Fit a photo and serve its editor until Ctrl-C, which is no failure.

    Args:
        image: a picture, or `sample:astronaut`.
        port: to listen on; None takes any free one.
        typed: options that say what the editor's user says by hand; None where they were not.
        browser: whether to open the user's browser.
        quiet: whether to say nothing; the address goes to standard output all the same.
        fit: options of `fit_photo`.

    Raises:
        ParameterError: one of `typed` was given, or more than one face is asked for.
    """
    unused = [name for name, value in typed.items() if value is not None]
    if unused:
        raise ParameterError(
            f"--ui edits by hand: leave out {', '.join(unused)}, or leave out --ui to write a file"
        )
    if fit["faces"] == "all":
        raise ParameterError("--ui edits one face: --faces must be largest or an index from 0")
    from morphface.ui.server import EditorServer

    with EditorServer(port or 0) as server:
        with status(quiet) as shown:
            start_with_picture(image)
            from morphface.pipelines.photo import fit_photo
            from morphface.ui.session import Session

            progress = None if shown is None else shown.update
            session = Session.of(fit_photo(image, progress=progress, **fit))
        typer.echo(server.address)
        say("the editor is at this address, for this machine only; Ctrl-C ends it", quiet=quiet)
        server.serve(session, title=Path(image).name, browser=browser)
    say("the editor is closed", quiet=quiet)


def without_page(port: int | None, no_browser: bool) -> None:
    """Refuse options of the editor where none was asked for.

    Raises:
        ParameterError: there is one.
    """
    if port is not None or no_browser:
        raise ParameterError(f"{'--no-browser' if no_browser else '--port'} is for --ui: add --ui")
