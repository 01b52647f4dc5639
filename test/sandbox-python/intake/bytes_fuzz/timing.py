"""`python3 -m bytes_fuzz.timing [SECONDS] [SHAPE]`: shapes of 0.5, 1 and 2 MB that take longer than so many seconds at 2 MB, or grow faster than their size."""

import sys

from bytes_fuzz.child import outcomes
from bytes_fuzz.shapes import SHAPES

SIZES = (500_000, 1_000_000, 2_000_000)


def main() -> None:
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    for name, shape in SHAPES.items():
        if len(sys.argv) > 2 and sys.argv[2] not in name:
            continue
        found = list(outcomes(shape(size) for size in SIZES))
        if any(each.fault for each in found) or found[-1].seconds > limit:
            times = ", ".join(f"{each.seconds:.1f}" for each in found)
            print(f"{name}: {times} s, {found[-1].peak / 1e6:.0f} MB: {found[-1].fault}", flush=True)


if __name__ == "__main__":
    main()
