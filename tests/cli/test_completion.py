"""The shell completes commands, options and what they take."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("morphface exp", "export"), ("morphface export x --to arkit-c", "arkit-csv")],
)
def test_bash_is_offered_the_rest(typed, offered):
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "morphface"],
        env={**os.environ, **words, "_MORPHFACE_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [offered]
