"""A child of a process that has computed computes, too."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing
import torch
import morphface

def work(size):
    values = torch.linspace(0.0, 1.0, size)  # large enough for several threads
    return float((values * values).sum() / size)

torch.set_num_threads(2)
here = work(1 << 20)
with multiprocessing.get_context("fork").Pool(1) as pool:
    there = pool.map_async(work, [1 << 20]).get(60)
assert abs(there[0] - here) < 1e-4 and abs(here - 1 / 3) < 1e-3
print("answered")
"""


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="this system does not fork")
def test_a_fork_after_torch_computed_in_parallel_answers():
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "answered", done.stderr
