"""What commands import, and what roma and MediaPipe import with them."""

import subprocess
import sys

import pytest


def told(code):
    """What a fresh interpreter prints."""
    words = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
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


def test_a_fit_needs_neither_compiler_nor_plots_nor_optimisers():
    code = (
        "import sys, morphface.pipelines.reconstruct, roma.mappings, torch\n"
        "import mediapipe.tasks.python.vision\n"
        "names = ('torch._dynamo', 'matplotlib', 'sounddevice', 'scipy.spatial', 'pygltflib')\n"
        "print(*(name in sys.modules for name in names), roma.mappings.torch is torch)"
    )
    assert told(code) == ["False"] * 5 + ["True"]


@pytest.mark.slow
def test_who_uses_what_was_left_out_finds_it_whole():
    code = (
        "import morphface, torch, roma\n"
        "from mediapipe.tasks.python.vision import drawing_utils\n"
        "print(drawing_utils.plt.Figure.__module__)\n"
        "moved = lambda m: torch.func.jvp(roma.special_procrustes, (m,), (m,))[0]\n"
        "m = torch.eye(3)[None] + 0.1\n"
        "compiled = torch.compile(moved, backend='eager')\n"
        "print(torch.allclose(compiled(m), moved(m), atol=1e-6))"
    )
    pytest.importorskip("matplotlib")
    assert told(code) == ["matplotlib.figure", "True"]
