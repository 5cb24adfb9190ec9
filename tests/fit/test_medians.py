"""Weighted medians against repetition."""

import torch

from morphface.fit.shared.medians import weighted_median


def test_whole_weights_are_repetitions():
    dice = torch.Generator().manual_seed(0)
    values = torch.randn(9, 4, 3, generator=dice)
    times = torch.randint(0, 4, (9, 4), generator=dice)
    times[0] += 1 - times.sum(dim=0) % 2  # an odd number of values has one middle
    found = weighted_median(values, times.float())
    for place in range(4):
        repeated = values[:, place].repeat_interleave(times[:, place], dim=0)
        torch.testing.assert_close(found[place], repeated.median(dim=0).values)


def test_of_two_that_count_as_much_it_is_the_mean():
    values = torch.tensor([1.0, 4.0])[:, None, None]
    assert weighted_median(values, torch.ones(2, 1)).item() == 2.5
