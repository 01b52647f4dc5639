"""Slow first steps of the libraries, done once before any kernel is forked."""

import io


def warm_up() -> None:
    """Draws a throw-away figure (fonts, layout, PNG) and prints a throw-away table."""
    import matplotlib
    import pandas as pd

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2], [3, 4], label="a")
    axes.legend()
    figure.savefig(io.BytesIO(), format="png")
    plt.close("all")
    frame = pd.DataFrame({"a": [1.5], "b": ["x"]})
    frame.to_string()
