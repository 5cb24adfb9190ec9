"""What holds of notebooks without running them; pytest runs them, too, at small settings."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CLEAN = "jupyter nbconvert --clear-output --inplace notebooks/*.ipynb"
INSTALL = re.compile(r'pip install -c constraints\.txt "\.\[notebook,offline(,train)?\]"')


def content(path):
    return json.loads(path.read_text(encoding="utf-8"))


def text(cell):
    return "".join(cell["source"])


def test_there_are_nine_in_their_order():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"0{number}" for number in range(1, 10)]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return request.param


def test_it_is_committed_without_outputs(notebook):
    for cell in content(notebook)["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), CLEAN


def test_its_cells_have_names_and_it_carries_no_more_than_its_kernel(notebook):
    made = content(notebook)
    names = [cell["id"] for cell in made["cells"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{3,}", name) for name in names)
    assert all(cell["metadata"] == {} for cell in made["cells"])
    assert made["metadata"] == {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }


def test_it_begins_with_its_title_and_how_to_install_what_it_needs(notebook):
    made = content(notebook)
    first = made["cells"][0]
    assert first["cell_type"] == "markdown"
    assert text(first).startswith(f"# {int(notebook.name[:2])}. ")
    found = INSTALL.search(text(first))
    assert found
    code = "".join(text(cell) for cell in made["cells"] if cell["cell_type"] == "code")
    assert bool(found[1]) == ("train_on_dataset" in code)


def test_it_names_no_place_of_one_machine(notebook):
    for cell in content(notebook)["cells"]:
        assert not re.search(r"""["'(](/|~|[A-Z]:\\)\w""", text(cell)), cell["id"]


def test_it_writes_only_to_a_temporary_folder(notebook):
    code = "".join(text(c) for c in content(notebook)["cells"] if c["cell_type"] == "code")
    written = re.findall(r"(?:save_\w+|write_\w+|make_clip|VideoWriter)\(\s*(\w+)", code)
    assert set(written) <= {"folder", "file", "mine"}
    assert not written or "tempfile.mkdtemp()" in code


def test_it_tells_what_can_go_wrong_and_ends_with_where_to_go_on(notebook):
    words = [text(c) for c in content(notebook)["cells"] if c["cell_type"] == "markdown"]
    assert any("## What can go wrong" in part for part in words)
    following = NOTEBOOKS[NOTEBOOKS.index(notebook) + 1 :][:1]
    assert all(f"]({path.name})" in words[-1] for path in following)


def test_links_between_them_lead_somewhere(notebook):
    for cell in content(notebook)["cells"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", text(cell)):
            if cell["cell_type"] == "markdown":
                assert (notebook.parent / target).exists(), target


def test_all_that_the_readme_names_are_there():
    named = re.findall(r"notebooks/(\w+\.ipynb)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {path.name for path in NOTEBOOKS} >= set(named)
