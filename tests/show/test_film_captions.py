"""Words above the pictures of a filmstrip."""

import torch

from morphface.show import filmstrip


def words_of(figure):
    return [label.get_text() for label in figure.axes[0].get_xticklabels()]


def test_a_mapping_gives_each_picture_its_words():
    dark, bright = torch.zeros(8, 8, 3), torch.ones(8, 8, 3)
    assert words_of(filmstrip({"before": dark, "after": bright})) == ["before", "after"]


def test_of_a_long_mapping_words_stay_with_their_pictures():
    pictures = {number: torch.full((8, 8, 3), number / 10) for number in range(11)}
    assert words_of(filmstrip(pictures, count=3)) == ["0", "5", "10"]
