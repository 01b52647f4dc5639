"""The unit of an axis, as its title or the labels of its ticks name it."""

import re
from typing import Any

LIMIT_CHARACTERS = 24

# ISO 4217 codes of the thirty most traded currencies (BIS, Triennial Central Bank Survey 2022).
_CURRENCIES = (
    "USD EUR JPY GBP CNY AUD CAD CHF HKD SGD SEK KRW NOK NZD INR MXN TWD ZAR BRL DKK PLN THB ILS IDR CZK AED TRY HUF CLP SAR RUB"
).split()
_SYMBOLS = ["%", "‰", "°", "°C", "°F", "℃", "€", "$", "£", "¥", "₹", "₽", "₩", "₺", "₪", "zł", "Kč", "Ft", "US$", "A$", "C$", "R$", "HK$"]
# SI and other units in everyday tables, with their usual prefixes written out: a prefix rule would take "min" or "Pa" apart wrongly.
_MEASURES = (
    "m mm cm km nm µm μm in ft yd mi m² m2 km² km2 cm² ft² sqft sqm ha m³ m3 cm³ l L ml mL cl hl gal "
    "g kg mg µg t lb lbs oz s ms µs ns sec min h hr hrs d wk yr K J kJ MJ GJ kcal cal Wh kWh MWh GWh TWh W kW MW GW V mV kV A mA Ω kΩ Hz kHz MHz GHz "
    "Pa hPa kPa MPa bar mbar psi N kN mol mmol B kB KB MB GB TB KiB MiB GiB bit bps kbps Mbps Gbps dB dBA lx lm cd ppm ppb pp bp bps rpm px dpi pH kn mph kph kmh mmHg"
).split()
_WORDS = (
    "percent percentage points point dollars dollar euros euro pounds cents yen years year yrs quarters months month weeks week days day hours hour minutes minute "
    "seconds second metres meters kilometres kilometers miles grams kilograms tonnes tons litres liters pieces pcs units items people persons degrees "
    "celsius fahrenheit kelvin bytes pixels stück stk jahre monate wochen tage stunden minuten sekunden prozent"
).split()
_MULTIPLIERS = "thousand thousands million millions billion billions trillion k K M m bn B tn mn mio mio. mrd mrd. tsd tsd. mln mld millionen milliarden tausend 000 '000 000s".split()

_AMBIGUOUS = frozenset("min sec in bar hr hrs wk yr".split())
_EXACT = frozenset((*_CURRENCIES, *_SYMBOLS, *_MEASURES))
_FOLDED = frozenset(_WORDS)
_SPREAD = frozenset(_MULTIPLIERS)

_ENCLOSED = re.compile(r"[(\[]\s*([^()\[\]]{1,40}?)\s*[)\]]\s*$")
_NAMED = re.compile(r"(?:\bin\s+|,\s*)([^,]{1,40})$", re.IGNORECASE)
_LAST = re.compile(r"(?:^|\s)(%|‰|°[CF]|[€$£¥₹₽₩₺₪]|[A-Z]{3})$")
_NUMBER = re.compile(r"[+\-\N{MINUS SIGN}(]*\d[\d.,'’\s\u00a0\u202f]*(?:[eE][+\-]?\d+)?\)?")
_JOINT = re.compile(r"\s*(?:/|·|⋅|\*|\bper\b)\s*|\s+")
_POWER = re.compile(r"(?:\^?-?\d|[⁻²³¹]+)$")


def unit_in_title(title: str) -> str | None:
    """`EUR` of "Revenue (EUR)", "Revenue in EUR", "Revenue, EUR" or "Revenue EUR"; None where the title names no unit."""
    title = " ".join(title.split())
    enclosed = _ENCLOSED.search(title)
    if enclosed is not None:
        inside = re.sub(r"^in\s+", "", enclosed[1], flags=re.IGNORECASE)
        if is_unit(inside):
            return inside
        title = title[: enclosed.start()].rstrip()
    named = _NAMED.search(title)
    if named is not None and is_unit(named[1]):
        return named[1]
    if is_unit(title) and not _is_quantity(title):
        return title
    last = _LAST.search(title)
    if last is not None and is_unit(last[1]):
        return last[1]
    return "%" if re.match(r"%\s|percent(?:age)?\s+of\b", title, re.IGNORECASE) else None


def _is_quantity(title: str) -> bool:
    """`Year`, `min` or `A` alone is what is shown; `EUR`, `%` or `kWh` alone what it is measured in."""
    return title in _AMBIGUOUS or len(title) == 1 and title.isalpha() or title.lower() in _FOLDED and not title.lower().startswith("percent")


def is_unit(text: str) -> bool:
    """Known units, also with a multiplier ("€ million") and of several parts ("EUR/m²", "km per hour")."""
    if not text or len(text) > LIMIT_CHARACTERS:
        return False
    parts = [part for part in _JOINT.split(text) if part]
    kinds = [_kind(part) for part in parts]
    return "unit" in kinds and None not in kinds


def _kind(part: str) -> str | None:
    if part in _EXACT or part.lower() in _FOLDED:
        return "unit"
    if part.lower() in _SPREAD or part in _SPREAD:
        return "multiplier"
    bare = _POWER.sub("", part)
    if bare != part and bare in _EXACT:
        return "unit"
    # "€m", "EURk", "k€"
    for size in (1, 2, 3):
        if (part[:-size] in _CURRENCIES or part[:-size] in _SYMBOLS) and part[-size:] in _SPREAD:
            return "unit"
        if part[size:] in _SYMBOLS and part[:size] in _SPREAD:
            return "unit"
    return None


def unit_of_labels(labels: list[str]) -> str | None:
    """What stands before or after the number in every label: `%` of "10%" and "20%", `€` of "€5" and "€10"."""
    found: set[str] = set()
    for label in labels:
        number = _NUMBER.search(label)
        if number is None:
            continue
        before, after = label[: number.start()].strip(" -+\N{MINUS SIGN}"), label[number.end() :].strip()
        # A currency's multiplier is part of the number here: "€5M".
        after = "" if after in _SPREAD else after
        found.add(after or before)
    unit = found.pop() if len(found) == 1 else ""
    return unit if is_unit(unit) else None


def unit_of_axis(axis: Any, title: str) -> str | None:
    """The unit of a matplotlib axis: its title's, else the one that its own formatter writes at every tick."""
    unit = unit_in_title(title)
    if unit is not None:
        return unit
    formatter = axis.get_major_formatter()
    if axis.isDefault_majfmt or type(formatter).__name__ in ("ScalarFormatter", "HouseFormatter", "NullFormatter"):
        return None
    if type(formatter).__name__ == "PercentFormatter":
        return str(formatter.symbol).strip() or None
    own = getattr(formatter, "unit", "")
    if isinstance(own, str) and own:
        return own[:LIMIT_CHARACTERS]
    return unit_of_labels([str(text) for text in formatter.format_ticks(axis.get_majorticklocs())])
