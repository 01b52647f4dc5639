"""The honest loader and the file card: what is in a file, loaded exactly or named as not loaded.

    load(path, table=None)  one table as a DataFrame; what could not be loaded is in `df.attrs`
    tables(path)            the names of the tables in the file
    card(path)              everything known about the file, as JSON-safe data; never raises
    show_card(path)         the same, displayed as a MIME bundle that the bot reads
"""

from plotline.intake.card import card, show_card
from plotline.intake.loading import load, tables

__all__ = ["card", "load", "show_card", "tables"]
