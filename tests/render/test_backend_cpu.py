"""What only the compiled backend has: threads, forks and a cache of compiled code."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from morphface.render import interpolate, rasterize
from morphface.render.backends import threads as threading
from tests.render.contract import same, soup

SIGHT = """
import sys, torch
from morphface.render import antialias, interpolate, rasterize
screen = torch.tensor([[[0.0, 0, 10], [8, 0, 14], [0, 8, 12], [8, 8, 16]]], requires_grad=True)
faces = torch.tensor([[0, 1, 2], [3, 2, 1]])
fragments = rasterize(screen, faces, (8, 8))
print(int(fragments.mask.sum()))
"""
BLEND = """
import torch
from morphface.render import Fragments, interpolate
weights = torch.tensor([0.5, 0.25, 0.25]).expand(1, 2, 2, 3)
found = Fragments(torch.zeros(1, 2, 2, dtype=torch.int64), weights, torch.ones(1, 2, 2))
print(float(interpolate(torch.tensor([[[4.0], [8], [8]]]), torch.tensor([[0, 1, 2]]), found).sum()))
"""
WHOLE = """
image = interpolate(torch.ones(1, 4, 3, requires_grad=True), faces, fragments)
antialias(image, screen, faces, fragments).sum().backward()
kernels = (name for name in sys.modules if name.startswith("morphface.render.backends.kernels"))
found = [value for name in kernels for value in vars(sys.modules[name]).values()]
stats = [value.stats for value in found if hasattr(value, "stats")]
hits = sum(sum(s.cache_hits.values()) for s in stats)
misses = sum(sum(s.cache_misses.values()) for s in stats)
print(hits > 5, misses > 5, misses)
"""


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


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


def gradient(scene, side=90):
    """A gradient that passes through both of the renderer's functions."""
    screen, faces = scene[0].clone().requires_grad_(), scene[1]
    image = interpolate(screen, faces, rasterize(screen, faces, (side, side)))
    return torch.autograd.grad(image.square().sum(), screen)[0]


def test_gradients_of_several_threads_do_not_disturb_each_other(rng, threads):
    threads(2)
    scenes = [soup(rng, 400, 90) for _ in range(4)]
    want = [gradient(scene) for scene in scenes]
    with ThreadPoolExecutor(4) as callers:
        got = list(callers.map(lambda k: gradient(scenes[k % 4]), range(40)))
    assert all(torch.equal(one, want[k % 4]) for k, one in enumerate(got))


def test_torch_works_in_one_thread_while_another_renders(rng, threads):
    threads(2)
    scene, matrix = soup(rng, 400, 90), torch.rand(300, 300, generator=rng)
    want, product = gradient(scene), matrix @ matrix
    with ThreadPoolExecutor(2) as callers:
        products = callers.map(lambda _: matrix @ matrix, range(40))
        renders = callers.map(lambda _: gradient(scene), range(40))
        assert all(torch.equal(render, want) for render in renders)
        assert all(torch.allclose(other, product) for other in products)


def test_nothing_is_copied_on_the_way_to_the_kernels(rng, monkeypatch):
    screen, faces = soup(rng, 40, 30)
    leaf = screen.clone().requires_grad_()
    found, seen = rasterize(leaf, faces, (30, 30)), []
    given = torch.ones_like(found.barycentric)

    def record(kernel, tasks, *arguments):
        every = [a for one in arguments for a in (one if isinstance(one, tuple) else (one,))]
        seen.append({a.ctypes.data for a in every if isinstance(a, np.ndarray)})

    monkeypatch.setattr(threading, "run", record)
    rasterize(leaf, faces, (30, 30))
    assert all({leaf.data_ptr(), faces.data_ptr()} <= call for call in seen)
    torch.autograd.grad(found.barycentric, leaf, given)
    held = leaf, faces, found.face, found.barycentric, given
    assert {t.data_ptr() for t in held} <= seen[-1]


def test_gradients_hardly_depend_on_the_number_of_threads(rng, threads):
    scene = soup(rng, 1500, 90, batch=2)
    threads(1)
    want = gradient(scene)
    for count in (2, 3, 8):
        threads(count)
        torch.testing.assert_close(gradient(scene), want, rtol=1e-3, atol=1e-5 * want.abs().max())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_rasterizes_too(rng, threads):
    threads(2)
    screen, faces = soup(rng, 400, 90)
    want, slope = rasterize(screen, faces, (90, 90)), gradient((screen, faces))
    child = os.fork()
    if child == 0:
        alike = same(rasterize(screen, faces, (90, 90)), want)
        near = (gradient((screen, faces)) - slope).abs().max() < 1e-3 * slope.abs().max()
        os._exit(0 if alike and near else 1)  # on one thread, which adds in another order
    assert os.waitpid(child, 0)[1] == 0


def test_an_image_of_4096_pixels_squared():
    side = 4096
    screen = torch.tensor([[[0.0, 0, 10], [2, 0, 14], [0, 2, 12], [2, 2, 16]]])
    screen = screen * torch.tensor([side / 2, side / 2, 1.0])
    found = rasterize(screen, torch.tensor([[0, 1, 2], [3, 2, 1]]), (side, side))
    assert found.mask.all()
    corners = found.depth[0, [0, 0, -1, -1], [0, -1, 0, -1]]
    torch.testing.assert_close(corners, torch.tensor([10.0, 14, 12, 16]), atol=0.01, rtol=0)


def run_script(script, environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_compiles_and_says_so_once_when_no_cache_can_be_written():
    # A locator is asked for by name, and none of that name exists: what numba raises then is
    # what it raises when neither the package nor the user's folder can be written.
    script = "import warnings; warnings.simplefilter('default', UserWarning)\n" + BLEND
    done = run_script(script, {"NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"})
    assert (done.returncode, done.stdout) == (0, "24.0\n")
    assert done.stderr.count("SlowWarning: compiled kernels cannot be kept") == 1


@pytest.mark.slow
def test_the_first_process_compiles_and_keeps_it_where_the_user_says_and_no_other_compiles(
    tmp_path,
):
    first, second = (run_script(SIGHT + WHOLE, {"NUMBA_CACHE_DIR": str(tmp_path)}) for _ in "ab")
    assert (first.returncode, first.stderr) == (second.returncode, second.stderr) == (0, "")
    assert first.stdout.startswith("64\nFalse True")
    assert second.stdout == "64\nTrue False 0\n"
    assert list(tmp_path.rglob("*visibility.draw_*.nbi"))  # on one thread another than on more
