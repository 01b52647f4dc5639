"""plotly and altair charts as results: a page for download, a still picture for the thread, the data in words."""

import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

from plotline.charts.model import Chart
from plotline.charts.sketch import draw
from plotline.charts.style import installed_house_style
from plotline.charts.words import describe
from plotline.kernel.bundles import CHART_MIME, Bundle
from plotline.kernel.figures import render

_NO_PAGE = "[no page was made for this altair chart: the sandbox image was built without Vega's scripts]"
_MAP = "[this plotly map fetches its outlines or tiles from the internet when its page is opened; offline it stays blank]"


def plotly_bundle(figure: Any) -> Bundle:
    from plotline.charts import plotly_figures

    if plotly_figures.needs_network(figure):
        print(_MAP, file=sys.stderr)
    return _bundle(plotly_figures.page(figure), lambda: plotly_figures.read(figure))


def altair_bundle(chart: Any) -> Bundle:
    from plotline.charts import altair_figures

    page = altair_figures.page(chart)
    if page is None:
        print(_NO_PAGE, file=sys.stderr)
    return _bundle(page, lambda: altair_figures.read(chart))


def _bundle(page: str | None, read: Callable[[], Chart]) -> Bundle:
    try:
        chart = read()
    except Exception:
        chart = Chart()
    # The data go along even where they could not be read: they are what tells a chart's page from other HTML.
    bundle: dict[str, Any] = {"text/plain": describe(chart), CHART_MIME: chart.as_json()}
    if page is not None:
        bundle["text/html"] = page
    if chart.type != "unknown":
        picture = still_picture(chart)
        if picture is not None:
            bundle["image/png"] = picture
    return bundle


def still_picture(chart: Chart) -> bytes | None:
    """PNG of the chart's data in the house style. It shows the same values, not the same design."""
    import matplotlib
    import matplotlib.pyplot as plt

    figure = None
    with matplotlib.rc_context(installed_house_style()):
        try:
            figure = draw(chart)
            return None if figure is None else render(figure)
        except Exception:
            return None
        finally:
            if figure is not None:
                plt.close(figure)


def adjust_plotly(module: ModuleType) -> None:
    """`figure.show()` displays here instead of looking for a browser."""

    def show(self: Any, *_: Any, **__: Any) -> None:
        from IPython.display import display

        display(self)

    module.BaseFigure.show = show


def adjust_altair(module: ModuleType) -> None:
    """No limit of 5,000 rows (the data stays in this container), `show()` displays, `save()` works offline."""
    from plotline.charts import altair_figures

    # This release of altair is older than this one of pandas.
    warnings.filterwarnings("ignore", category=FutureWarning, module="altair")
    module.data_transformers.disable_max_rows()
    base = module.TopLevelMixin
    original = base.save

    def show(self: Any, *_: Any, **__: Any) -> None:
        from IPython.display import display

        display(self)

    def save(self: Any, fp: Any, format: str | None = None, *args: Any, **keywords: Any) -> Any:
        kind = (format or str(fp).rpartition(".")[2]).lower()
        if kind == "html" and (page := altair_figures.page(self)) is not None:
            return _write(fp, page.encode())
        if kind == "png" and (picture := still_picture(altair_figures.read(self))) is not None:
            return _write(fp, picture)
        return original(self, fp, format, *args, **keywords)

    base.show = show
    base.save = save


def _write(target: Any, data: bytes) -> None:
    if hasattr(target, "write"):
        try:
            target.write(data)
        except TypeError:
            target.write(data.decode())
        return
    with open(target, "wb") as file:
        file.write(data)
