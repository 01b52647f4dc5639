"""What makes a cell give the same again: its random numbers begin at a seed, its clock at a moment.

Not covered, because it comes from the operating system each time: `os.urandom`, `secrets`, `uuid.uuid4`, `random.SystemRandom`,
unseeded `random.Random()` objects, `numpy.datetime64("now")`, the times of files.
"""

import random
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import time_machine


def seed_random_numbers(seed: int) -> None:
    """`random`, numpy's global generator (scikit-learn's and pandas' too), and numpy generators that get no seed of their own."""
    random.seed(seed)
    np.random.seed(seed)
    # Whatever numpy makes without a seed asks this function for one: each gets another, in the same order every time.
    np.random.bit_generator.randbits = random.Random(seed).getrandbits  # type: ignore[attr-defined]


def set_clock(now_ms: float) -> "time_machine.travel":
    """The wall clock shows `now_ms` and goes on from there until the returned object's `stop()`. Timeouts keep real time."""
    import time_machine

    _patch_wall_clock_only()
    # The first question would start the clock; it is started here, before the cell.
    travel = time_machine.travel(now_ms / 1000)
    travel.start()
    time.time()
    return travel


def _patch_wall_clock_only() -> None:
    """time-machine would move the monotonic clock too, which every timeout of another thread goes by."""
    import _time_machine

    monotonic = time.monotonic, time.monotonic_ns
    # It patches whatever stands under these names, once; its own copies are not needed for anything else.
    time.monotonic, time.monotonic_ns = _time_machine.original_monotonic, _time_machine.original_monotonic_ns
    try:
        _time_machine.patch_if_needed()
    finally:
        time.monotonic, time.monotonic_ns = monotonic
