"""What hides a face is told by the pixels that are judged."""

import torch

from morphface.fit.analysis.occlusion import hidden

SIDE, USUAL, WIDTH = 64, 0.05, 2.0


def cover(residual: torch.Tensor, judged: torch.Tensor) -> torch.Tensor:
    face = torch.ones(SIDE, SIDE)
    colours = residual[..., None].expand(-1, -1, 3) / 3**0.5
    return hidden(colours, face, judged, USUAL, scale=4.0, width=WIDTH)


def test_what_is_explained_as_usual_is_not_hidden_and_what_is_far_off_is():
    everything = torch.ones(SIDE, SIDE)
    assert cover(USUAL * everything, everything).max() < 0.01
    assert cover(20 * USUAL * everything, everything).min() > 0.99


def test_colours_of_what_is_not_judged_say_nothing():
    judged = torch.ones(SIDE, SIDE)
    judged[20:40, 20:40] = 0.0
    wild = USUAL * torch.ones(SIDE, SIDE)
    wild[20:40, 20:40] = 1.0
    assert cover(wild, judged).max() < 0.01


def test_a_little_that_is_off_beside_what_is_not_judged_does_not_hide_that():
    """Make-up beside an eye hides no brow."""
    judged = torch.ones(SIDE, SIDE)
    judged[20:40, 20:40] = 0.0
    beside = USUAL * torch.ones(SIDE, SIDE)
    beside[20:40, 40:42] = 1.0
    assert cover(beside, judged)[25:35, 25:35].max() < 0.01


def test_a_small_part_that_is_not_judged_is_hidden_with_all_around_it():
    judged = torch.ones(SIDE, SIDE)
    judged[30:33, 30:33] = 0.0
    off = torch.ones(SIDE, SIDE)
    off[30:33, 30:33] = 0.0
    assert cover(off, judged)[31, 31] > 0.9
