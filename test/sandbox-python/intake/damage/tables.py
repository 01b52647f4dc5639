"""Clean tables of many shapes: the truth that damaged files are measured by."""

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass

_CITIES = "Oslo Lima Bern Rome Quito Graz Porto Turku Cork Gent Nice Split".split()
_ACCENTED = ["São Paulo", "Zürich", "Málaga", "Tromsø", "Besançon", "Århus", "Jönköping", "Évora", "León", "Nîmes"]
_SCRIPTS = ["Łódź", "Žilina", "Αθήνα", "Казань", "東京都", "서울", "Göteborg", "İzmir", "Đà Nẵng", "Tbilisi თბილისი"]
_WORDS = "late order was checked again by the second desk and sent on with a label that nobody could read from far away".split()
_NAMES = "Anna Ben Carla Dev Emeka Fatima Goran Hana Igor Julia Kofi Lena Marco Nadia".split()
_FAMILIES = "Almeida Berg Costa Dunn Evans Fischer Garcia Haas Ito Jansen Kaya Lopez".split()


@dataclass(frozen=True)
class Field:
    """A column: `kind` is integer, number, id, date, moment, word (few values) or text. `make` gives the cell of row `index`."""

    name: str
    kind: str
    make: Callable[[random.Random, int], str]


@dataclass(frozen=True)
class Shape:
    """A sort of table. `delimiters` are those it is written with; `plain`: no cell ever needs a quote."""

    name: str
    fields: tuple[Field, ...]
    delimiters: str = ",,;\t|"
    decimal: str = "."
    date_format: str = "%Y-%m-%d"
    plain: bool = True
    with_header_only: bool = False


@dataclass(frozen=True)
class CleanTable:
    """`rows` without the header."""

    shape: Shape
    header: list[str]
    rows: list[list[str]]

    @property
    def kinds(self) -> list[str]:
        return [field.kind for field in self.shape.fields]


def meaning(shape: Shape, kind: str, text: str) -> float | datetime.date | str | None:
    """What a cell means as a typed value; None for an empty cell."""
    if text == "":
        return None
    if kind in ("integer", "number"):
        return float(text.replace(shape.decimal, "."))
    if kind == "date":
        return datetime.datetime.strptime(text, shape.date_format).date()
    if kind == "moment":
        return datetime.datetime.fromisoformat(text)
    return text


def clean_table(shape: Shape, rows: int, rng: random.Random) -> CleanTable:
    made = [[field.make(rng, index) for field in shape.fields] for index in range(1, rows + 1)]
    return CleanTable(shape, [field.name for field in shape.fields], made)


def _index(_: random.Random, index: int) -> str:
    return str(index)


def _amount(low: float, high: float, digits: int = 2, decimal: str = ".") -> Callable[[random.Random, int], str]:
    return lambda rng, _: f"{rng.uniform(low, high):.{digits}f}".replace(".", decimal)


def _count(low: int, high: int) -> Callable[[random.Random, int], str]:
    return lambda rng, _: str(rng.randint(low, high))


def _of(values: list[str]) -> Callable[[random.Random, int], str]:
    return lambda rng, _: rng.choice(values)


def _day(form: str) -> Callable[[random.Random, int], str]:
    return lambda rng, _: (datetime.date(2022, 1, 1) + datetime.timedelta(days=rng.randrange(900))).strftime(form)


def _id(form: str) -> Callable[[random.Random, int], str]:
    return lambda _, index: form.format(index)


def _person(rng: random.Random, _: int) -> str:
    return f"{rng.choice(_NAMES)} {rng.choice(_FAMILIES)}"


def _sentence(rng: random.Random, _: int) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(3, 12)))


def _prose(rng: random.Random, _: int) -> str:
    """Text that needs quotes: delimiters, quotes, line ends."""
    words = rng.choices(_WORDS, k=rng.randint(2, 9))
    match rng.randrange(8):
        case 0 | 1 | 2:
            words[0] += rng.choice([",", ";", ", and"])
        case 3:
            words[-1] = f'"{words[-1]}"'
        case 4:
            words[0] += "\n" + rng.choice(_WORDS)
        case 5:
            words[0] = f'say "{words[0]}", then'
    return " ".join(words)


def _sometimes(share: float, make: Callable[[random.Random, int], str]) -> Callable[[random.Random, int], str]:
    return lambda rng, index: make(rng, index) if rng.random() < share else ""


def _wide(columns: int) -> tuple[Field, ...]:
    readings = tuple(Field(f"s{number:02d}", "number", _amount(-20, 80, number % 3 + 1)) for number in range(1, columns - 1))
    return (Field("station", "word", _of(_CITIES)), Field("run", "integer", _index), *readings)


_EURO, _US = "%d.%m.%Y", "%m/%d/%Y"

SHAPES = (
    Shape("orders", (Field("id", "integer", _index), Field("city", "word", _of(_CITIES)), Field("amount", "number", _amount(1, 900)), Field("day", "date", _day("%Y-%m-%d")))),
    Shape("narrow", (Field("day", "date", _day("%Y-%m-%d")), Field("place", "word", _of(_CITIES)), Field("degrees", "integer", _count(-30, 45)))),
    Shape("wide", _wide(40), ",;\t"),
    Shape("medium", _wide(14), ",;\t|"),
    Shape(
        "notes",
        (Field("ticket", "id", _id("T-{:05d}")), Field("opened", "date", _day("%Y-%m-%d")), Field("by", "text", _person), Field("note", "text", _prose), Field("hours", "number", _amount(0, 40, 1))),
        ",;\t",
        plain=False,
    ),
    Shape(
        "remarks",
        (Field("no", "integer", _index), Field("title", "text", _sentence), Field("remark", "text", _prose)),
        ",;|",
        plain=False,
        with_header_only=True,
    ),
    Shape(
        "invoices",
        (
            Field("Rechnung", "id", _id("R{:06d}")), Field("Kunde", "text", _person), Field("Ort", "word", _of(_CITIES + _ACCENTED)), Field("Datum", "date", _day(_EURO)),
            Field("Betrag", "number", _amount(1, 999, 2, ",")), Field("Menge", "integer", _count(1, 60)),
        ),  # fmt: skip
        ";;\t|",
        decimal=",",
        date_format=_EURO,
    ),
    Shape(
        "parts",
        (
            Field("part no", "id", _id("{:06d}")), Field("postcode", "id", lambda rng, _: f"{rng.randrange(100000):05d}"), Field("card", "id", lambda rng, _: f"4{rng.randrange(10**15):015d}"),
            Field("stock", "integer", _count(0, 5000)), Field("price", "number", _amount(0, 90)), Field("colour", "word", _of(["red", "green", "blue"])),
        ),  # fmt: skip
    ),
    Shape(
        "people",
        (
            Field("name", "text", _person), Field("home", "word", _of(_ACCENTED + _SCRIPTS)), Field("e-mail", "text", lambda rng, index: f"{rng.choice(_NAMES).lower()}{index}@example.org"),
            Field("born", "date", _day(_US)), Field("height", "integer", _count(140, 205)),
        ),  # fmt: skip
        date_format=_US,
    ),
    Shape(
        "sparse",
        (
            Field("item", "id", _id("I{:04d}")), Field("a", "integer", _sometimes(0.6, _count(1, 99))), Field("b", "number", _sometimes(0.4, _amount(1, 9))), Field("seen", "date", _sometimes(0.5, _day("%Y-%m-%d"))),
            Field("who", "text", _sometimes(0.5, _person)), Field("flag", "word", _sometimes(0.3, _of(["yes", "no"]))),
        ),  # fmt: skip
    ),
    Shape("answers", (Field("group", "word", _of(["A", "B"])), Field("q1", "integer", _count(1, 3)), Field("q2", "integer", _count(1, 3)), Field("mood", "word", _of(["good", "bad"])))),
    Shape(
        "log",
        (Field("at", "moment", lambda rng, _: f"2024-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T{rng.randint(10, 23)}:{rng.randint(10, 59)}:00Z"), Field("level", "word", _of(["INFO", "WARN", "ERROR"])), Field("message", "text", _sentence), Field("ms", "integer", _count(1, 9000))),
        "|\t,",
    ),
    Shape("numbers", (Field("value", "number", _amount(0, 500)),), ","),
    Shape("words", (Field("Person", "text", _person),), ",", with_header_only=True),
    Shape("accents", (Field("code", "id", _id("K{:04d}")), Field("city", "word", _of(_ACCENTED)), Field("people", "integer", _count(900, 900_000)), Field("share", "number", _amount(0, 1, 4))), ",;\t"),
)  # fmt: skip
