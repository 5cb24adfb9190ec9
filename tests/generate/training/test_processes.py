import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from morphface.generate.checkpoint import load_generator
from morphface.generate.training import train_generator
from morphface.generate.training.journal import read_journal
from tests.generate.training.toy import CONFIG, SETTINGS, Discs

pytest.importorskip("accelerate", reason="training needs accelerate: morphface[train]")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Losses, step by step, and the generator of a run in this process, which nobody ends."""
    run = tmp_path_factory.mktemp("alone") / "run"
    generator = train_generator(CONFIG, Discs(), run, settings=SETTINGS)
    return read_journal(run), generator


def launched(run, processes):
    """Losses, step by step, and the generator of a run by `accelerate launch`."""
    command = [sys.executable, "-m", "accelerate.commands.launch", "--num_machines", "1"]
    command += ["--num_processes", str(processes), "--mixed_precision", "no"]
    command += ["--dynamo_backend", "no", "--main_process_port", "0"]
    command += ["--multi_gpu"]  # of CPUs, as the environment says
    command += ["-m", "tests.generate.training.train_discs", str(run)]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "ACCELERATE_USE_CPU": "true",
    }
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    seen = {path.name for path in run.parent.glob(f"{run.name}-*")}
    assert seen == {f"{run.name}-{number}-of-{processes}" for number in range(processes)}
    return read_journal(run), load_generator(run / "generator.safetensors")


@pytest.mark.slow
def test_two_processes_make_the_steps_of_one(tmp_path, alone):
    steps, one = alone
    shared, two = launched(tmp_path / "two", 2)
    assert len(steps) == len(shared) == 6
    for entry, other in zip(shared, steps, strict=True):
        assert entry == pytest.approx(other, rel=1e-3, abs=1e-4)
    for name, value in one.state_dict().items():
        torch.testing.assert_close(two.state_dict()[name], value, rtol=1e-3, atol=2e-5)


@pytest.mark.slow
def test_a_process_killed_at_work_goes_on_as_if_it_had_not_been(tmp_path, alone):
    steps, whole = alone
    command = [sys.executable, "-m", "tests.generate.training.die_at_work", str(tmp_path / "cut")]
    dead = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert dead.returncode == -signal.SIGKILL, dead.stderr[-3000:]
    again = train_generator(CONFIG, Discs(), tmp_path / "cut", settings=SETTINGS, resume=True)
    assert read_journal(tmp_path / "cut") == steps
    for name, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
