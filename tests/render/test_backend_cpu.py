"""What only the compiled backend has: threads, forks and a cache of compiled code."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from morphface.render import rasterize
from tests.render.test_rasterize import soup

SCRIPT = """
import torch
from morphface.render import rasterize
screen = torch.tensor([[[0.0, 0, 10], [8, 0, 14], [0, 8, 12], [8, 8, 16]]])
print(int(rasterize(screen, torch.tensor([[0, 1, 2], [3, 2, 1]]), (8, 8)).mask.sum()))
"""


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def same(one, other):
    return (
        torch.equal(one.face, other.face)
        and torch.equal(one.barycentric, other.barycentric)
        and torch.equal(one.depth, other.depth)
    )


def test_result_is_the_same_whatever_the_number_of_threads(rng, threads):
    screen, faces = soup(rng, 2000, 150, batch=2)
    screen[..., 2] = screen[..., 2].div(50).round() * 50  # many ties
    threads(1)
    want = rasterize(screen, faces, (150, 120))
    for count in (2, 3, 8):
        threads(count)
        assert same(rasterize(screen, faces, (150, 120)), want)


def test_callers_on_several_threads_do_not_disturb_each_other(rng):
    scenes = [soup(rng, 400, 90) for _ in range(6)]
    want = [rasterize(*scene, (90, 90)) for scene in scenes]
    with ThreadPoolExecutor(6) as callers:
        got = list(callers.map(lambda k: rasterize(*scenes[k % 6], (90, 90)), range(120)))
    assert all(same(fragments, want[k % 6]) for k, fragments in enumerate(got))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_rasterizes_too(rng, threads):
    threads(2)
    screen, faces = soup(rng, 400, 90)
    want = rasterize(screen, faces, (90, 90))
    child = os.fork()
    if child == 0:
        os._exit(0 if same(rasterize(screen, faces, (90, 90)), want) else 1)
    assert os.waitpid(child, 0)[1] == 0


def run_script(environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_compiles_without_a_warning_when_no_cache_can_be_written():
    # A locator is asked for by name, and none of that name exists: what numba raises then is
    # what it raises when neither the package nor the user's folder can be written.
    done = run_script({"NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "64\n", "")


@pytest.mark.slow
def test_keeps_compiled_code_where_the_user_says(tmp_path):
    done = run_script({"NUMBA_CACHE_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr) == (0, "64\n", "")
    assert list(tmp_path.rglob("*draw_bands*.nbi"))
