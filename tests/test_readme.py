"""What the README prints is true."""

import re
from pathlib import Path

import pytest
import torch

from morphface.models import load_model
from tests.data import needs_detector

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_lines_of_python_run(capsys, tmp_path, monkeypatch):
    needs_detector()
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    for block in blocks:
        assert len([line for line in block.splitlines() if line]) <= 10
        exec(block, names)
    assert "yaw" in capsys.readouterr().out
    fitted = names["model"].vertices(names["face"].parameters.identity, torch.zeros(1, 52))
    assert (names["vertices"] - fitted).norm(dim=-1).max() > 5
    assert 0.05 < names["drawn"].mask.mean() < 0.9


@pytest.mark.parametrize("name", ["fit", "test"])
def test_both_commands_are_marked_for_ci(name):
    assert re.search(rf"<!-- ci: {name} -->\n```sh\npip install -c constraints.txt .*\n```", README)


def test_every_file_and_picture_that_is_linked_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_the_model_table_states_the_size_of_the_open_head():
    assert f"{load_model().size:,} vertices" in README
