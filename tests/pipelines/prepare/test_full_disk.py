"""A disk that is really full: a small one in memory, where this machine allows to mount it."""

import shutil
import subprocess

import pytest

from morphface.core.errors import OutputError
from tests.pipelines.prepare.conftest import contents

SIZES = ("60k", "150k", "300k")
"""Too small for one unit, for the units, and for the shards beside the units."""


@pytest.fixture
def disk(tmp_path):
    """Makes a disk of a size, and makes it larger."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no `mount` here, so no small disk can be made")

    def mount(size, again=""):
        command = ["mount", "-t", "tmpfs", "-o", f"{again}size={size}", "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True, check=False)


@pytest.mark.refusal
@pytest.mark.parametrize("size", SIZES)
def test_a_full_disk_stops_the_run_in_one_sentence_and_more_room_ends_it(make, disk, size):
    make("roomy")
    place = disk(size)
    with pytest.raises(OutputError) as caught:
        make("disk/out")
    message = str(caught.value)
    assert message.startswith(f"cannot write to {place / 'out'}")
    assert message.endswith(
        ": the disk is full; what is done is kept: mend that and run the same command again"
    )
    kept = set((place / "out").rglob("*.outcome"))
    with pytest.raises(OutputError, match="the disk is full"):
        make("disk/out")
    assert kept <= set((place / "out").rglob("*.outcome"))
    disk("10m", "remount,")
    make("disk/out")
    assert contents(place / "out") == contents(place.parent / "roomy")
