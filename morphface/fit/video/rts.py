"""Smoothing of sequences of numbers, each with a velocity, over times that need not be even.

A value moves on with its velocity, which white noise of acceleration changes; it is measured with
white noise. The likeliest path under both is found by a Kalman filter forwards and the gain of
Rauch, Tung and Striebel (1965) backwards; it is the cubic smoothing spline. What jumps, as eyes
and lids do, is not noise of that kind: acceleration is taken to be distributed after Student, by
weights that are found with the path (Aravkin et al. 2014), so that a jump is not rounded off.

All columns are smoothed at once. Values are in units of their own noise of measurement.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["Belief", "measured_noise", "smooth_rows", "usual_power"]

_VAGUE = 1e8
_FREEDOM = 3.0  # degrees of freedom of the acceleration
_REFERENCE = 0.04  # seconds between frames at which a time constant is what it says
_LEAST_TRIPLES = 5

Row = Float[np.ndarray, " K"]
Rows = Float[np.ndarray, "T K"]


@dataclass(frozen=True, eq=False)
class Belief:
    """What is known of values and velocities.

    Args:
        value, speed: means.
        spread: variance of the value.
        cross: covariance of both.
        fast: variance of the velocity.
    """

    value: Row
    speed: Row
    spread: Row
    cross: Row
    fast: Row

    @classmethod
    def vague(cls, value: Row) -> "Belief":
        """Nothing is known; `value` is a guess."""
        zero = np.zeros_like(value)
        return cls(value, zero, zero + _VAGUE, zero, zero + _VAGUE / _REFERENCE**2)

    def later(self, seconds: float, power: Row) -> "Belief":
        """The same after some time, in which acceleration of that power acted."""
        step = seconds
        return Belief(
            self.value + step * self.speed,
            self.speed,
            self.spread + 2 * step * self.cross + step**2 * self.fast + power * step**3 / 3,
            self.cross + step * self.fast + power * step**2 / 2,
            self.fast + power * step,
        )

    def told(self, measured: Row) -> "Belief":
        """The same after a measurement, whose variance is 1."""
        total, off = self.spread + 1, measured - self.value
        return Belief(
            self.value + self.spread / total * off,
            self.speed + self.cross / total * off,
            self.spread / total,
            self.cross / total,
            self.fast - self.cross**2 / total,
        )


def measured_noise(
    times: Float[np.ndarray, " T"], values: Rows, seen: Bool[np.ndarray, " T"]
) -> Row | None:
    """Standard deviation of the noise of each column, or None where too little is seen.

    It is robust to motion in less than half of the frames: it comes from the median distance of a
    value from the line between its neighbours.
    """
    whole = seen[:-2] & seen[1:-1] & seen[2:]
    if whole.sum() < _LEAST_TRIPLES:
        return None
    share = ((times[1:-1] - times[:-2]) / np.maximum(times[2:] - times[:-2], 1e-9))[:, None]
    off = values[1:-1] - (1 - share) * values[:-2] - share * values[2:]
    off = off / np.sqrt(1 + share**2 + (1 - share) ** 2)
    noise: Row = 1.4826 * np.median(np.abs(off[whole]), axis=0)
    return noise


def smooth_rows(
    times: Float[np.ndarray, " T"],
    values: Rows,
    seen: Bool[np.ndarray, " T"],
    constant: Row,
    *,
    start: Belief | None = None,
    rounds: int = 4,
) -> tuple[Rows, Rows]:
    """The likeliest path, and the power of acceleration in each interval.

    Args:
        times: of the frames, in seconds, rising.
        values: measured, in units of their noise.
        seen: which frames were measured.
        constant: seconds below which changes are smoothed away, for each column.
        start: what was known at the first frame before it was measured; None for nothing.
        rounds: how often the weights of jumps are found.
    """
    gaps = np.maximum(np.diff(times), 1e-6)
    usual = np.broadcast_to(usual_power(constant), (len(gaps), values.shape[1]))
    start = start or Belief.vague(values[int(np.argmax(seen))])
    power = usual
    for turn in range(rounds):
        path, speed = _path(gaps, values, seen, power, start)
        if turn + 1 < rounds:
            power = usual * np.maximum(1.0, _surprise(gaps, path, speed, usual))
    return path, power


def usual_power(constant: Row) -> Row:
    """The power of acceleration, in units of the noise, at which changes take that many seconds."""
    return _REFERENCE / constant**4


def _path(
    gaps: Float[np.ndarray, " N"],
    values: Rows,
    seen: Bool[np.ndarray, " T"],
    power: Float[np.ndarray, "S K"],
    start: Belief,
) -> tuple[Rows, Rows]:
    """Values and velocities of the likeliest path."""
    before, after = [start], []
    for frame, value in enumerate(values):
        after.append(before[-1].told(value) if seen[frame] else before[-1])
        if frame < len(gaps):
            before.append(after[-1].later(gaps[frame], power[frame]))
    path, speed = np.empty_like(values), np.empty_like(values)
    path[-1], speed[-1] = after[-1].value, after[-1].speed
    for frame in range(len(values) - 2, -1, -1):
        here, there, step = after[frame], before[frame + 1], gaps[frame]
        off, faster = path[frame + 1] - there.value, speed[frame + 1] - there.speed
        size = there.spread * there.fast - there.cross**2
        a = (there.fast * off - there.cross * faster) / size
        b = (there.spread * faster - there.cross * off) / size
        mixed = here.cross + step * here.fast
        path[frame] = here.value + (here.spread + step * here.cross) * a + here.cross * b
        speed[frame] = here.speed + mixed * a + here.fast * b
    return path, speed


def _surprise(gaps: Float[np.ndarray, " N"], path: Rows, speed: Rows, power: Rows) -> Rows:
    """By how much the variance of each acceleration exceeds the usual, after Student."""
    step = gaps[:, None]
    off = path[1:] - path[:-1] - step * speed[:-1]
    faster = speed[1:] - speed[:-1]
    square = 12 * off**2 / step**3 - 12 * off * faster / step**2 + 4 * faster**2 / step
    return (_FREEDOM + square / power) / (_FREEDOM + 2)
