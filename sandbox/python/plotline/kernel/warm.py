"""Settings and slow first steps of the libraries, done once before any kernel is forked."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotline.kernel.shell import CellShell


def warm_up() -> None:
    """Sets the house style, draws a throw-away figure (fonts, layout, PNG), prints a throw-away table and draws one."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    import pandas as pd

    from plotline.charts.finish import finish
    from plotline.charts.reading import read_figure
    from plotline.charts.style import apply_house_style
    from plotline.charts.ticks import install_house_formatter
    from plotline.charts.words import describe
    from plotline.table_picture.picture import table_picture

    apply_house_style()
    install_house_formatter()
    _set_table_options(pd)
    _prepare_table_charts()
    months = pd.date_range("2024-01-01", periods=12, freq="MS")
    for kind, xs in (("plot", months), ("bar", [f"name {number}" for number in range(12)])):
        figure, axes = plt.subplots()
        getattr(axes, kind)(xs, range(1000, 13_000, 1000), label="a")
        axes.set(title="Title 0123456789", xlabel="Month", ylabel="EUR")
        axes.legend()
        finish(figure)
        figure.savefig(io.BytesIO(), format="png")
        describe(read_figure(figure))
    plt.close("all")
    pd.DataFrame({"a": [1, 2]}, index=["x", "y"]).plot.bar()
    plt.close("all")
    frame = pd.DataFrame({"a": [1.5], "b": ["x"], "c": pd.to_datetime(["2024-01-01"])})
    repr(frame)
    frame.to_html()
    frame.to_csv(io.StringIO())
    frame.groupby("b").sum(numeric_only=True)
    table_picture({"columns": [{"name": "Revenue of the year 2024", "type": "text"}] * 4, "rows": [["x"] * 4], "rowCount": 30})


def take_pages(shell: "CellShell", is_asked: Callable[[], bool]) -> None:
    """
    In a fresh kernel, until `is_asked` or done: goes the way of a first cell and a first table, whose pages are then the kernel's
    own. Without it the first cell pays some 20 ms for copying what it shares with the driver. Leaves no trace.
    """
    for step in (_first_cell, _first_table):
        if is_asked():
            return
        step(shell)


def _first_cell(shell: "CellShell") -> None:
    from plotline.kernel.shell import warm_shell

    warm_shell(shell)


def _first_table(shell: "CellShell") -> None:
    import pandas as pd

    frame = pd.read_csv(io.StringIO("a,b,c\n1,x,2024-01-01\n2.5,y,2024-02-01\n"))
    shell.publisher.publish(shell.display_formatter.format(frame.head())[0])


def _prepare_table_charts() -> None:
    """`df.plot` without pandas' upright labels under bars: labels that do not fit are turned when the chart is finished."""
    from pandas.plotting._matplotlib import core

    core.BarPlot._default_rot = 0


def _set_table_options(pd: "object") -> None:
    """Whole columns and more of each row than pandas shows by default: the reader is a model or a chat, not a terminal."""
    options = {"display.max_columns": 40, "display.width": 200, "display.max_rows": 40, "display.max_colwidth": 80}
    for name, value in options.items():
        pd.set_option(name, value)  # type: ignore[attr-defined]
