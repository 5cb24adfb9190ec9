"""The same dataset, whoever makes it and however often they are killed."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from morphface.pipelines.prepare import PrepareSettings, prepare
from tests.pipelines.prepare import standin
from tests.pipelines.prepare.conftest import contents

SCRIPT = """
import sys
from morphface.pipelines.prepare import dataset as module
from tests.pipelines.prepare import inline, standin
module.Pool = lambda workers: inline.Inline()
settings = module.PrepareSettings(shard_size="10")
module.prepare(sys.argv[1:2], sys.argv[2], settings, work=standin.work)
"""


@pytest.mark.slow
def test_processes_make_the_same_dataset(make, clips, tmp_path):
    settings = PrepareSettings(shard_size="10")
    prepare([clips], tmp_path / "pool", settings, workers=2, work=standin.work)
    make()
    assert contents(tmp_path / "pool") == contents(tmp_path / "out")


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_comes_out_the_same(make, clips, tmp_path):
    for path in clips.glob("*.mp4"):
        path.write_text(path.read_text() + " wait=0.03")
    make()
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py"), str(clips), str(tmp_path / "killed")]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    chance = random.Random(0)
    for _ in range(2):
        run = subprocess.Popen(command, env=environment)
        wait_for_work(run, tmp_path / "killed")
        time.sleep(chance.uniform(0, 0.6))
        run.send_signal(signal.SIGKILL)
        run.wait()
    subprocess.run(command, env=environment, check=True)
    assert contents(tmp_path / "killed") == contents(tmp_path / "out")


def wait_for_work(run, folder):
    """Until something is written, or the run is over."""
    while run.poll() is None and not list(folder.glob(".work/units/*/*")):
        time.sleep(0.02)
