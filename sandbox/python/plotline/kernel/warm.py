"""Settings and slow first steps of the libraries, done once before any kernel is forked."""

import io


def warm_up() -> None:
    """Sets the house style, draws a throw-away figure (fonts, layout, PNG) and prints a throw-away table."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    import pandas as pd

    from plotline.charts.style import apply_house_style
    from plotline.charts.ticks import install_house_formatter

    apply_house_style()
    install_house_formatter()
    _set_table_options(pd)
    for kind in ("plot", "bar"):
        figure, axes = plt.subplots(layout="constrained")
        getattr(axes, kind)(["a", "b"], [3_000, 4_000], label="a")
        axes.set_title("A title")
        axes.legend()
        figure.savefig(io.BytesIO(), format="png")
    _prepare_table_charts()
    plt.close("all")
    frame = pd.DataFrame({"a": [1.5], "b": ["x"], "c": pd.to_datetime(["2024-01-01"])})
    repr(frame)
    frame.to_html()
    frame.to_csv(io.StringIO())
    frame.groupby("b").sum(numeric_only=True)


def _prepare_table_charts() -> None:
    """`df.plot` without pandas' upright labels under bars: labels that do not fit are turned when the chart is finished."""
    from pandas.plotting._matplotlib import core

    core.BarPlot._default_rot = 0


def _set_table_options(pd: "object") -> None:
    """Whole columns and more of each row than pandas shows by default: the reader is a model or a chat, not a terminal."""
    options = {"display.max_columns": 40, "display.width": 200, "display.max_rows": 40, "display.max_colwidth": 80}
    for name, value in options.items():
        pd.set_option(name, value)  # type: ignore[attr-defined]
