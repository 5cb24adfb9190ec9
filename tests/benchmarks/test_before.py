import pytest

from benchmarks import bench_clips
from benchmarks.trouble import Shot, Trouble

CLIP = Trouble("plain", Shot([], []), 1)


def fails(trouble, model):
    raise ZeroDivisionError("oh")


def test_what_another_revision_fails_on_is_told_of_the_clip(monkeypatch, tmp_path):
    monkeypatch.setattr(bench_clips, "troubles", lambda half: iter([CLIP]))
    monkeypatch.setattr(bench_clips, "tracked", fails)
    cases = bench_clips.run_all(tmp_path / "old.jsonl", failures=True)
    failed = {"case": "plain", "failed": "ZeroDivisionError: oh"}
    assert cases == [{"half": "judging"} | failed, {"half": "tuning"} | failed]
    assert bench_clips.run_all(tmp_path / "old.jsonl") == cases  # kept, and not run again
    told = bench_clips.compared(cases[0], "abc")
    assert told == {"revision": "abc", "failed": "ZeroDivisionError: oh"}
    with pytest.raises(ZeroDivisionError):
        bench_clips.run_all(tmp_path / "new.jsonl")


def test_another_revision_is_named_with_what_is_compared():
    numbers = {"tracked_share": 1.0, "longest_loss": 2, "switches": 0, "false_people": 1}
    case = {"half": "tuning", "case": "plain", "found_people": 2, **numbers}
    assert bench_clips.compared(case, "abc") == {"revision": "abc", **numbers}
