import torch

from morphface.pipelines.doctor import examine
from morphface.render import backends


def test_every_backend_is_listed_with_what_it_is_or_how_to_get_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = {item.name: item for item in examine() if item.kind == "backend"}
    assert tuple(found) == backends.NAMES
    assert found["cpu"].usable
    assert not found["nvdiffrast"].usable
    assert "needs an NVIDIA GPU" in found["nvdiffrast"].note
    assert found["pytorch3d"].usable or "pip install" in found["pytorch3d"].note


def test_where_there_is_a_gpu_backends_are_judged_for_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a card")
    monkeypatch.setattr("morphface.render.backends.nvdiffrast.find_spec", lambda name: None)
    monkeypatch.setattr("morphface.render.backends.pytorch3d.find_spec", lambda name: name)
    found = {item.name: item for item in examine() if item.kind == "backend"}
    assert found["cpu"].usable
    assert "pip install ninja diffrp-nvdiffrast" in found["nvdiffrast"].note
    assert found["pytorch3d"].usable
    assert "default" in found["pytorch3d"].note
