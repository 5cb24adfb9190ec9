"""What fits of pixels share is worked out beside something else, once for a model."""

import torch

from morphface.core.threads import one_torch_thread
from morphface.fit.analysis import fine, surface
from morphface.fit.analysis.ready import readied
from morphface.models import load_model


def test_the_first_time_a_thread_works_it_out_and_then_nobody_does(monkeypatch):
    model, made = load_model().to("cpu"), []
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with readied(model):
            pass
        monkeypatch.setattr(surface, "_lay_out", lambda *_: made.append("layout"))
        monkeypatch.setattr(fine, "cotangent_laplacian", lambda *_: made.append("laplacian"))
        here = torch.device("cpu"), torch.float32
        first = surface.surface_of(model, *here)
        with readied(model):
            assert torch.get_num_threads() == 2
        assert surface.surface_of(model, *here) is first
        fine.prepare_fine(model)
    finally:
        torch.set_num_threads(usual)
    assert not made


def test_on_one_thread_the_fit_works_it_out_itself():
    model = load_model().to("cpu")
    with one_torch_thread(), readied(model):
        assert torch.get_num_threads() == 1
