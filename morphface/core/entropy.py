"""Numbers into few bytes: binary decisions with learnt probabilities, in a range coder.

The coder carries as Martin's (1979) does, as in LZMA. Each context learns how likely a one is, fast
at first and slower later; whoever decodes learns the same from what was decoded. All arithmetic is
of whole numbers, so that files are the same on every machine.
"""

from collections.abc import Hashable

from morphface.core.errors import ParameterError

__all__ = ["Decoder", "Encoder"]

_BITS = 16
_ONE = 1 << _BITS
_SLOWEST = 6
"""Probabilities move by a 64th of what is left, at last."""
_UNARY = 12
"""Numbers up to this size are counted, larger ones have their rest in Golomb's code of order 0."""
_TOP = 1 << 24


class _Contexts:
    """What was learnt: how likely a zero is in each context."""

    def __init__(self) -> None:
        self._known: dict[Hashable, list[int]] = {}

    def likely(self, context: Hashable) -> int:
        """Probability of a zero, in parts of `_ONE`."""
        return self._known.setdefault(context, [_ONE // 2, 1])[0]

    def learn(self, context: Hashable, bit: int) -> None:
        """One more decision."""
        state = self._known[context]
        goal = 31 if bit else _ONE - 31
        state[0] += (
            (goal - state[0]) >> state[1] if goal >= state[0] else -((state[0] - goal) >> state[1])
        )
        state[1] = min(state[1] + 1, _SLOWEST)


class Encoder:
    """Writes numbers, each in a context of the caller's choice."""

    def __init__(self) -> None:
        self._contexts = _Contexts()
        self._low, self._range = 0, (1 << 32) - 1
        self._held, self._pending = 0, 0
        self._out = bytearray()
        self._begun = False

    def bit(self, bit: int, context: Hashable) -> None:
        """A decision.

        Args:
            bit: 0 or 1.
            context: what tells how likely it is.
        """
        bound = (self._range >> _BITS) * self._contexts.likely(context)
        if bit:
            self._low += bound
            self._range -= bound
        else:
            self._range = bound
        self._contexts.learn(context, bit)
        while self._range < _TOP:
            self._shift()
            self._range <<= 8

    def number(self, value: int, context: Hashable) -> None:
        """A whole number; those near zero are short.

        Args:
            value: any.
            context: what tells how it is distributed.
        """
        size = abs(value)
        for step in range(min(size, _UNARY)):
            self.bit(1, (context, step))
        if size < _UNARY:
            self.bit(0, (context, size))
        else:
            self._rest(size - _UNARY + 1, context)
        if value:
            self.bit(int(value < 0), (context, "sign"))

    def finish(self) -> bytes:
        """All that was written."""
        for _ in range(5):
            self._shift()
        return bytes(self._out)

    def _rest(self, value: int, context: Hashable) -> None:
        length = value.bit_length()
        for _ in range(length - 1):
            self.bit(1, (context, "length"))
        self.bit(0, (context, "length"))
        for place in reversed(range(length - 1)):
            self.bit(value >> place & 1, (context, "rest"))

    def _shift(self) -> None:
        """Give a byte away, unless it may still be carried into."""
        if self._low < 0xFF << 24 or self._low >> 32:
            carry = self._low >> 32
            if self._begun:
                self._out.append(self._held + carry & 255)
            self._out += bytes([255 + carry & 255]) * self._pending
            self._held, self._pending, self._begun = self._low >> 24 & 255, 0, True
        else:
            self._pending += 1
        self._low = (self._low & 0xFFFFFF) << 8


class Decoder:
    """Reads what an `Encoder` wrote, with the same contexts in the same order.

    Args:
        data: of `finish`.
    """

    def __init__(self, data: bytes) -> None:
        self._contexts = _Contexts()
        self._data, self._place, self._range = data, 4, (1 << 32) - 1
        self._code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")

    def bit(self, context: Hashable) -> int:
        """A decision.

        Args:
            context: as it was written with.
        """
        bound = (self._range >> _BITS) * self._contexts.likely(context)
        bit = int(self._code >= bound)
        if bit:
            self._code -= bound
            self._range -= bound
        else:
            self._range = bound
        self._contexts.learn(context, bit)
        while self._range < _TOP:
            self._range <<= 8
            byte = self._data[self._place] if self._place < len(self._data) else 0
            self._code = (self._code << 8 | byte) & 0xFFFFFFFF
            self._place += 1
        return bit

    def number(self, context: Hashable) -> int:
        """A whole number.

        Args:
            context: as it was written with.

        Raises:
            ParameterError: this cannot have been written.
        """
        size = 0
        while size < _UNARY and self.bit((context, size)):
            size += 1
        if size == _UNARY:
            size += self._rest(context) - 1
        return -size if size and self.bit((context, "sign")) else size

    def _rest(self, context: Hashable) -> int:
        length = 1
        while self.bit((context, "length")):
            length += 1
            if length > 40:
                raise ParameterError("the coded numbers are damaged: one is too large")
        value = 1
        for _ in range(length - 1):
            value = value << 1 | self.bit((context, "rest"))
        return value
