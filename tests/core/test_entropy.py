"""Numbers into few bytes."""

import math
import random

import pytest

from morphface.core.entropy import Decoder, Encoder
from morphface.core.errors import ParameterError


def test_numbers_of_any_size_come_back_in_their_order():
    rng = random.Random(0)
    numbers = [round(rng.gauss(0, 3 ** (k % 6))) for k in range(4000)]
    numbers += [0, 11, 12, 13, -12, -13, 2**31, -(2**35)]
    coder = Encoder()
    for place, number in enumerate(numbers):
        coder.number(number, place % 6)
    reader = Decoder(coder.finish())
    assert [reader.number(place % 6) for place in range(len(numbers))] == numbers


@pytest.mark.parametrize("bit", [0, 1])
def test_runs_that_carry_through_many_bytes_come_back(bit):
    rng = random.Random(1)
    bits = [bit] * 3000 + [rng.randrange(2) for _ in range(500)] + [1 - bit] * 3000
    coder = Encoder()
    for one in bits:
        coder.bit(one, "all")
    reader = Decoder(coder.finish())
    assert [reader.bit("all") for _ in bits] == bits


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
def test_decisions_take_little_more_than_their_entropy(share):
    rng, count = random.Random(2), 20000
    coder = Encoder()
    for _ in range(count):
        coder.bit(int(rng.random() < share), 0)
    entropy = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
    assert entropy * 0.95 < 8 * len(coder.finish()) / count < entropy * 1.05 + 0.005


@pytest.mark.refusal
def test_a_number_that_cannot_have_been_written_is_refused():
    coder = Encoder()
    for step in range(12):
        coder.bit(1, ("x", step))
    for _ in range(60):
        coder.bit(1, ("x", "length"))
    with pytest.raises(ParameterError, match="the coded numbers are damaged"):
        Decoder(coder.finish()).number("x")
