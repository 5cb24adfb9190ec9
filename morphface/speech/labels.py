"""Phonemes in a file that a person can edit: a label track, as Audacity writes and reads.

A line a phoneme, with tabs between start, end and symbol; times in seconds. Lines that begin with
a backslash, which Audacity adds for frequencies, and empty ones are passed over.
"""

from collections.abc import Iterable
from pathlib import Path

from morphface.core.errors import MissingFileError, ParameterError
from morphface.core.files import atomic_write
from morphface.speech.alphabet import arpabet_to_ipa
from morphface.speech.phonemes import Phoneme, merged

__all__ = ["load_phonemes", "save_phonemes"]


def save_phonemes(path: str | Path, phonemes: Iterable[Phoneme]) -> None:
    """Write phonemes, one a line.

    Args:
        path: the file to write or replace.
        phonemes: in order.

    Raises:
        OutputError: the file cannot be written there.
    """
    lines = [f"{p.start:.4f}\t{p.end:.4f}\t{p.symbol}\n" for p in phonemes]
    with atomic_write(Path(path)) as file:
        Path(file).write_text("".join(lines), encoding="utf-8")


def load_phonemes(path: str | Path) -> tuple[Phoneme, ...]:
    """Read phonemes, in IPA or ARPAbet.

    Args:
        path: of a label file.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is no label file, or one without phonemes.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {path} of phonemes; check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(
            f"{path} is no file of phonemes, which has lines of start, end and symbol"
        ) from error
    found = [
        _phoneme(str(path), number, line)
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("\\")
    ]
    if not found:
        raise ParameterError(f"{path} holds no phonemes")
    return merged(found)


def _phoneme(path: str, number: int, line: str) -> Phoneme:
    start, end, symbol = (*line.split(maxsplit=2), "", "", "")[:3]
    try:
        return Phoneme(arpabet_to_ipa(symbol) or symbol.strip(), float(start), float(end))
    except ValueError as error:
        raise ParameterError(
            f"line {number} of {path} must be start, end and symbol, got {line[:60]!r}"
        ) from error
