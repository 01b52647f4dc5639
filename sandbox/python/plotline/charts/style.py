"""The house style: legible in a chat window, safe for colour-blind readers. Defaults only, so a cell's own style wins."""

import logging
from typing import Any

# Okabe and Ito, "Color Universal Design" (2008), without black and with the yellow last: it is weak on white.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#999999", "#F0E442")

FONTS = ("Noto Sans", "DejaVu Sans")
"""Every further font makes every text slower to draw, so those for other scripts are added to texts that need them."""

INK = "#24292f"
SOFT_INK = "#57606a"
GRID = "#d8dee4"


def fonts_for_all_scripts() -> list[str]:
    """These fonts and the image's own list, which knows every script that the image has a font for."""
    import matplotlib

    families = matplotlib.rcParamsOrig["font.family"]
    return [*FONTS, *(name for name in families if name not in FONTS)]


def house_style(available_fonts: set[str]) -> dict[str, Any]:
    """matplotlib rcParams."""
    from cycler import cycler

    return {
        "figure.figsize": (8, 4.5),
        "figure.dpi": 144,
        "figure.facecolor": "white",
        "figure.titlesize": 14,
        "figure.titleweight": "bold",
        "figure.constrained_layout.h_pad": 0.1,
        "figure.constrained_layout.w_pad": 0.1,
        "savefig.facecolor": "auto",
        "font.family": [name for name in FONTS if name in available_fonts] or ["DejaVu Sans"],
        "font.size": 10.5,
        "text.color": INK,
        "axes.titlesize": 13,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 10,
        "axes.labelsize": 10.5,
        "axes.labelcolor": SOFT_INK,
        "axes.edgecolor": SOFT_INK,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=PALETTE),
        "axes.unicode_minus": True,
        "axes.xmargin": 0.03,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "xtick.color": SOFT_INK,
        "ytick.color": SOFT_INK,
        "xtick.labelsize": 9.5,
        "ytick.labelsize": 9.5,
        "lines.linewidth": 2,
        "lines.markersize": 5,
        "patch.linewidth": 0.5,
        "legend.frameon": False,
        "legend.fontsize": 9.5,
        "image.cmap": "viridis",
        "boxplot.medianprops.color": INK,
        "boxplot.medianprops.linewidth": 1.6,
        "date.converter": "concise",
        "svg.fonttype": "none",
        "figure.max_open_warning": 0,
    }


def installed_house_style() -> dict[str, Any]:
    """The house style with the fonts of this machine."""
    from matplotlib import font_manager

    return house_style({entry.name for entry in font_manager.fontManager.ttflist})


def apply_house_style() -> None:
    """Makes the house style the starting point. `plt.rcdefaults()` and other styles lead away from it, as asked."""
    import matplotlib

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    matplotlib.rcParams.update(installed_house_style())
    _keep_old_style_names()


def _keep_old_style_names() -> None:
    """`seaborn-whitegrid` and its kin were renamed in matplotlib 3.6; much code in the world still uses the old names."""
    from matplotlib import style

    for name in list(style.library):
        if name.startswith("seaborn-v0_8"):
            style.library.setdefault(name.replace("-v0_8", ""), style.library[name])
