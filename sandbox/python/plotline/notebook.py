"""What a notebook of a thread needs from this image, so that it runs without it: the loader as an archive, and the versions."""

import base64
import io
import platform
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FACTS_MIME = "application/vnd.plotline.notebook+json"

_DISTRIBUTIONS = {
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "matplotlib": "matplotlib",
    "seaborn": "seaborn",
    "plotly": "plotly",
    "altair": "altair",
    "statsmodels": "statsmodels",
    "sklearn": "scikit-learn",
    "sympy": "sympy",
    "networkx": "networkx",
    "openpyxl": "openpyxl",
    "xlsxwriter": "XlsxWriter",
    "xlrd": "xlrd",
    "pypdf": "pypdf",
    "reportlab": "reportlab",
    "docx": "python-docx",
    "PIL": "pillow",
    "lxml": "lxml",
    "bs4": "beautifulsoup4",
    "tabulate": "tabulate",
}
"""The names that code imports, and those that packages are installed by."""

_PARTS = ("__init__.py", "formulas.py", "intake/**/*.py", "charts/__init__.py", "charts/style.py")
"""What works with pandas and matplotlib alone. The rest of the package belongs to the kernel."""

_SHOWING = '''\
"""`plotline.show` in a notebook: plain display."""

from typing import Any

from IPython.display import display


def show(obj: Any, title: str | None = None, alt: str | None = None) -> None:
    """Displays `obj`; a notebook has no reply that title and description could belong to."""
    display(obj)
'''

_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)
"""The same package gives the same archive, byte for byte."""


_TABLE_OPTIONS = ("display.max_columns", "display.width", "display.max_rows", "display.max_colwidth")


def describe() -> None:
    """Displays, for the bot, `{python, packages: {import name: "name version"}, table_options, archive}`.

    `table_options` are pandas' settings by which tables are printed here; `archive` is a zip in base64.
    """
    import pandas as pd
    from IPython.display import display

    facts = {
        "python": platform.python_version(),
        "packages": _packages(),
        "table_options": {name: pd.get_option(name) for name in _TABLE_OPTIONS},
        "archive": base64.b64encode(archive()).decode(),
    }
    display({FACTS_MIME: facts}, raw=True)


def archive() -> bytes:
    """A zip that can be imported from: `load`, `tables`, `card`, `show` and the house style, without the kernel."""
    home = Path(__file__).parent
    sources = {path.relative_to(home.parent).as_posix(): path.read_bytes() for part in _PARTS for path in sorted(home.glob(part))}
    sources["plotline/showing.py"] = _SHOWING.encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, source in sorted(sources.items()):
            entry = zipfile.ZipInfo(name, _ENTRY_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, source)
    return target.getvalue()


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for module, distribution in _DISTRIBUTIONS.items():
        try:
            found[module] = f"{distribution} {version(distribution).partition('+')[0]}"
        except PackageNotFoundError:
            continue
    return found
