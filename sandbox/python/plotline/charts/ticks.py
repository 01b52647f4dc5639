"""Numbers on axes as people write them: 12,500 and 1.2M instead of 12500 and an "1e6" in the corner."""

import math
from typing import Any

from matplotlib import scale
from matplotlib.ticker import ScalarFormatter

_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
"""Below a million numbers are written out, with thousands separators."""

_YEARS = (1500, 2200)


def short_number(value: float, step: float, largest: float) -> str:
    """`value` with the decimals that ticks `step` apart need, in the unit that suits the `largest` of them."""
    if value == 0:
        return "0"
    unit, suffix = next(((size, name) for size, name in _STEPS if largest >= size), (1.0, ""))
    fine = step / unit
    decimals = 0 if fine <= 0 else min(6, max(0, -math.floor(math.log10(fine) + 1e-9)))
    # A step of 2.5 needs one decimal although its logarithm says none.
    if fine > 0 and abs(round(fine, decimals) - fine) > fine * 1e-6:
        decimals += 1
    text = f"{value / unit:,.{decimals}f}"
    if suffix and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "\N{MINUS SIGN}") + suffix


class HouseFormatter(ScalarFormatter):
    """The default formatter of linear axes. Once the cell asks for a notation of its own, it behaves as matplotlib does."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._asked = False

    def set_scientific(self, b: bool) -> None:
        super().set_scientific(b)
        self._asked = True

    def set_powerlimits(self, lims: tuple[int, int]) -> None:
        super().set_powerlimits(lims)
        self._asked = True

    def set_useOffset(self, val: Any) -> None:  # noqa: N802 — matplotlib's name
        super().set_useOffset(val)
        self._asked = True

    def set_locs(self, locs: Any) -> None:
        super().set_locs(locs)
        if self._plain():
            self.offset = 0
            self.orderOfMagnitude = 0

    def __call__(self, x: float, pos: int | None = None) -> str:
        if not self._plain():
            return super().__call__(x, pos)
        locations = [float(value) for value in self.locs]
        if not math.isfinite(x):
            return ""
        gaps = [abs(second - first) for first, second in zip(locations, locations[1:])]
        step = min((gap for gap in gaps if gap > 0), default=abs(x) or 1.0)
        if abs(x) < step * 1e-9:
            x = 0.0
        largest = max((abs(value) for value in locations), default=abs(x))
        if self._looks_like_years(locations):
            return f"{x:.0f}"
        if 0 < largest < 1e-4:
            return f"{x:.3g}"
        return short_number(x, step, largest)

    def get_offset(self) -> str:
        return "" if self._plain() else super().get_offset()

    def _plain(self) -> bool:
        return not getattr(self, "_asked", False)

    def _looks_like_years(self, locations: list[float]) -> bool:
        axis = self.axis
        if axis is None or getattr(axis, "axis_name", "") != "x" or not locations:
            return False
        low, high = sorted(axis.get_view_interval())
        return _YEARS[0] <= low and high <= _YEARS[1] and all(value == int(value) for value in locations if low <= value <= high)


def install_house_formatter() -> None:
    """Makes `HouseFormatter` what every new linear axis starts with, so that files a cell saves have it too."""
    original = scale.LinearScale.set_default_locators_and_formatters

    def set_defaults(self: Any, axis: Any) -> None:
        original(self, axis)
        if type(axis.get_major_formatter()) is ScalarFormatter:
            axis.set_major_formatter(HouseFormatter())
            axis.isDefault_majfmt = True

    scale.LinearScale.set_default_locators_and_formatters = set_defaults  # type: ignore[method-assign]
