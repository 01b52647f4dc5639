"""What the browser would work out from raw values when it draws a chart: bins and boxes."""

import math

from plotline.charts.model import Value, tidy_number


def box_values(numbers: list[float]) -> list[Value]:
    """Values of `BOX_PARTS`; whiskers reach 1.5 times the box's height, as in plotly and Vega-Lite."""
    import numpy as np

    low, middle, high = np.percentile(numbers, [25, 50, 75])
    reach = 1.5 * (high - low)
    inside = [number for number in numbers if low - reach <= number <= high + reach]
    return [tidy_number(part) for part in (min(inside), low, middle, high, max(inside))]


def round_edges(low: float, high: float, most: int) -> list[float]:
    """Edges of at most `most` bins whose width is 1, 2 or 5 times a power of ten, which Vega chooses too."""
    span = high - low or abs(high) or 1.0
    step = 10.0 ** (round(math.log10(span)) - math.ceil(math.log10(most)))
    while math.ceil(span / step) > most:
        step *= 10
    for part in (5, 2):
        if span / (step / part) <= most:
            step /= part
    first = math.floor(low / step + 1e-9)
    count = max(1, math.ceil((high - first * step) / step - 1e-9))
    return [(first + index) * step for index in range(count + 1)]
