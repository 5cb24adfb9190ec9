"""What commands import, and what roma and MediaPipe import with them."""

import subprocess
import sys

import pytest


def told(code):
    """What a fresh interpreter prints."""
    words = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_wrong_file_and_a_wrong_option_are_refused_without_torch(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    code = (
        "import sys; from morphface.cli import run\n"
        f"codes = [run(['fit', {str(tmp_path / 'empty.jpg')!r}, '--quiet']),\n"
        "run(['fit', 'a.jpg', '--stage', 'x', '--quiet']),\n"
        "run(['fit', 'a.jpg', 'b.jpg', '--only', 'x', '--quiet'])]\n"
        "print(*codes, *(name in sys.modules for name in ('torch', 'scipy', 'mediapipe')))"
    )
    assert told(code) == ["2", "2", "2", "False", "False", "False"]


@pytest.fixture(scope="module")
def facts():
    """What a process knows that imported what a fit needs, and then what that was spared."""
    return told(
        "import sys, morphface.pipelines.reconstruct, roma.mappings, torch\n"
        "from mediapipe.tasks.python.vision import drawing_utils\n"
        "names = ('torch._dynamo', 'matplotlib', 'sounddevice', 'scipy.spatial', 'pygltflib')\n"
        "print(*(name in sys.modules for name in names), roma.mappings.torch is torch)\n"
        "print(drawing_utils.plt.Figure.__module__)\n"
        "inside = roma.mappings._procrustes_apply_eager(torch.eye(3)[None], True, 0.0)[0]\n"
        "print(torch.equal(inside, torch.eye(3)[None]), 'torch._dynamo' in sys.modules)"
    )


def test_a_fit_needs_neither_compiler_nor_plots_nor_optimisers(facts):
    assert facts[:6] == ["False"] * 5 + ["True"]


def test_who_uses_what_was_left_out_finds_it_whole(facts):
    assert facts[6:] == ["matplotlib.figure", "True", "True"]


@pytest.fixture(scope="module")
def alone():
    """What a program that is ours knows of torch and scipy, and then what is asked of them."""
    return told(
        "import sys, morphface; from morphface.core.lean import import_alone\n"
        "import_alone()\n"
        "import torch, scipy.ndimage, scipy.sparse.linalg, numpy\n"
        "names = ('torch._decomp', 'scipy._lib._docscrape', 'numpy.f2py', 'torch._dynamo')\n"
        "print(*(name in sys.modules for name in names))\n"
        "print(scipy.ndimage.label([0, 1, 0, 1])[1], 'connected' in scipy.ndimage.label.__doc__)\n"
        "print(numpy.f2py.get_include() == sys.modules['numpy.f2py'].get_include())\n"
        "double = torch.compile(lambda x: 2 * x, backend='eager')\n"
        "print(float(double(torch.ones(()))))\n"
        "print(hasattr(torch._meta_registrations, 'activate_meta'))\n"
        "sizes = (torch.ones(1, 1, n, n, device='meta') for n in (5, 3))\n"
        "print(*torch.nn.functional.conv2d(*sizes).shape)"
    )


def test_a_program_of_ours_imports_no_compiler_and_reads_no_docstrings(alone):
    assert alone[:4] == ["False"] * 4


def test_it_finds_all_of_that_when_it_asks(alone):
    assert alone[4:] == ["2", "True", "True", "2.0", "True", "1", "1", "3", "3"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the loader of Linux is called")
def test_libraries_of_torch_load_ahead_of_its_import():
    code = (
        "import sys, threading, morphface.core.ahead as ahead\n"
        "ahead.load_torch_ahead()\n"
        "[t.join() for t in threading.enumerate() if t.name == 'morphface-ahead']\n"
        "print('libtorch_python' in open('/proc/self/maps').read(), 'torch' in sys.modules)"
    )
    assert told(code) == ["True", "False"]
