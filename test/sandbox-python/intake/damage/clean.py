"""Clean tables of different shapes, each with a dialect that suits it. Everything follows from the `random.Random` given."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

Row = list[str]
CITIES = ["Oslo", "Lima", "Bern", "São Paulo", "Zürich", "Quito", "New York", "Aix-en-Provence"]
WORDS = "late order paid cash by card return window blue green box of two small parts waits for stock call again".split()


@dataclass(frozen=True)
class Written:
    """How a table is written. `quotes` is minimal, all or none; `encoding` may be utf-8-sig for a byte-order mark."""

    delimiter: str = ","
    quotes: str = "minimal"
    end: str = "\n"
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Table:
    shape: str
    header: Row
    rows: list[Row]
    written: Written
    ids: tuple[int, ...] = ()
    """Columns of identifiers: leading zeros, many digits."""
    numbers: tuple[int, ...] = ()
    dates: tuple[int, ...] = ()


def _day(rng: random.Random, form: str = "{y}-{m:02d}-{d:02d}") -> str:
    return form.format(y=rng.randint(2015, 2025), m=rng.randint(1, 12), d=rng.randint(1, 28))


def _words(rng: random.Random, least: int, most: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(least, most)))


def sales(rng: random.Random, size: int) -> Table:
    rows = [[str(n), rng.choice(CITIES), f"{rng.random() * 900:.2f}", _day(rng)] for n in range(1, size + 1)]
    return Table("sales", ["id", "city", "amount", "day"], rows, _any(rng), (0,), (2,), (3,))


def sensors(rng: random.Random, size: int) -> Table:
    width = rng.randint(8, 29)
    rows = [[f"2024-05-{n // 48 % 28 + 1:02d} {n // 2 % 24:02d}:{n % 2 * 30:02d}", *(f"{rng.gauss(20, 4):.3f}" for _ in range(width))] for n in range(size)]
    return Table("sensors", ["time", *(f"sensor {n}" for n in range(1, width + 1))], rows, _any(rng), (), tuple(range(1, width + 1)), (0,))


def companies(rng: random.Random, size: int) -> Table:
    rows = [
        [f"C{n:05d}", f"{rng.choice(WORDS).title()} {n}, Inc.", rng.choice("ABC"), str(rng.randint(1, 99)), f'the "{rng.choice(WORDS)}" one, {_words(rng, 2, 6)}']
        for n in range(1, size + 1)
    ]
    return Table("companies", ["code", "company", "class", "count", "remark"], rows, _quoting(rng), (0,), (3,))


def letters(rng: random.Random, size: int) -> Table:
    rows = []
    for n in range(1, size + 1):
        note = _words(rng, 3, 9) + ("\n" + _words(rng, 2, 5) + "," + _words(rng, 1, 3) if rng.random() < 0.2 else "")
        rows.append([str(n), f"Person {n}", note, _day(rng)])
    return Table("letters", ["no", "sender", "letter", "received"], rows, replace(_quoting(rng), end="\n"), (0,), (), (3,))


def identifiers(rng: random.Random, size: int) -> Table:
    rows = [
        [f"{rng.randint(0, 99999):05d}", f"00{rng.randint(10**9, 10**10 - 1)}", str(rng.randint(10**17, 10**18)), rng.choice(["A-1", "B-2", "C-3"]), f"{n:07d}"]
        for n in range(size)
    ]
    return Table("identifiers", ["zip", "phone", "account", "group", "part no"], rows, _any(rng), (0, 1, 2, 4))


def european(rng: random.Random, size: int) -> Table:
    def money() -> str:
        return f"{rng.randint(1, 999)}.{rng.randint(0, 999):03d},{rng.randint(0, 99):02d}"

    rows = [[_day(rng, "{d:02d}.{m:02d}.{y}"), f"Konto {n}", money(), f"{rng.random() * 9:.1f}".replace(".", ","), rng.choice(["Soll", "Haben"])] for n in range(size)]
    how = Written(";", rng.choice(["minimal", "all"]), rng.choice(["\n", "\r\n"]), rng.choice(["cp1252", "utf-8", "utf-8-sig"]))
    return Table("european", ["Datum", "Konto", "Betrag", "Quote", "Seite"], rows, how, (), (2, 3), (0,))


def log(rng: random.Random, size: int) -> Table:
    rows = [
        [f"2024-02-{n % 28 + 1:02d}T{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{n % 60:02d}Z", f"10.0.{rng.randint(0, 255)}.{n % 256}", rng.choice(["INFO", "WARN"]), _words(rng, 3, 12)]
        for n in range(size)
    ]
    return Table("log", ["at", "address", "level", "message"], rows, Written("\t", "none", rng.choice(["\n", "\r\n"])), (), (), (0,))


def scripts(rng: random.Random, size: int) -> Table:
    names = ["Łódź", "Αθήνα", "Москва", "東京", "القاهرة", "Việt Nam", "Ærø", "Köln", "Málaga"]
    rows = [[str(n), rng.choice(names), f"{rng.choice(names)} {n}", str(rng.randint(1, 10**6)), f"{rng.random():.4f}"] for n in range(1, size + 1)]
    how = Written(rng.choice(",;\t"), rng.choice(["minimal", "all"]), "\n", rng.choice(["utf-8", "utf-8-sig", "utf-16", "utf-8"]))
    return Table("scripts", ["n", "place", "label", "people", "share"], rows, how, (0,), (3, 4))


def sparse(rng: random.Random, size: int) -> Table:
    def maybe(value: str) -> str:
        return value if rng.random() < 0.6 else ""

    rows = [[str(n), maybe(rng.choice(CITIES)), maybe(str(rng.randint(1, 500))), maybe(_words(rng, 1, 3)), maybe(_day(rng)), maybe(rng.choice(["yes", "no"]))] for n in range(1, size + 1)]
    return Table("sparse", ["key", "city", "points", "note", "since", "active"], rows, _any(rng), (0,), (2,), (4,))


def single(rng: random.Random, size: int) -> Table:
    rows = [[f"{rng.choice(WORDS)}-{n}"] for n in range(size)]
    return Table("single", ["name"], rows, Written(",", rng.choice(["minimal", "all"]), rng.choice(["\n", "\r\n"])))


def american(rng: random.Random, size: int) -> Table:
    rows = [[f"INV-{n:04d}", f"{rng.randint(1, 12)}/{rng.randint(1, 28)}/{rng.randint(2015, 2025)}", f"${rng.randint(1, 99)},{rng.randint(0, 999):03d}.{rng.randint(0, 99):02d}", f"{rng.randint(1, 99)}%", rng.choice(["TRUE", "FALSE"])] for n in range(size)]
    return Table("american", ["invoice", "date", "total", "discount", "open"], rows, Written(rng.choice("|\t"), rng.choice(["minimal", "none"]), rng.choice(["\n", "\r\n"])), (0,), (2, 3), (1,))


def wide_text(rng: random.Random, size: int) -> Table:
    width = rng.randint(12, 25)
    rows = [[f"K{n:04d}", *(_words(rng, 1, 3) if column % 3 else str(rng.randint(0, 50)) for column in range(1, width))] for n in range(size)]
    numbers = tuple(column for column in range(3, width, 3))
    return Table("wide text", ["key", *(f"answer {column}" for column in range(1, width))], rows, _any(rng), (0,), numbers)


def pairs(rng: random.Random, size: int) -> Table:
    rows = [[_day(rng), str(rng.randint(-50, 50)), rng.choice(["day", "night", "noon"])] for _ in range(size)]
    return Table("pairs", ["day", "degrees", "when"], rows, _any(rng), (), (1,), (0,))


def _any(rng: random.Random) -> Written:
    quotes = rng.choice(["minimal", "minimal", "all", "none"])
    return Written(rng.choice([",", ",", ";", "\t", "|"]), quotes, rng.choice(["\n", "\n", "\r\n"]), rng.choice(["utf-8", "utf-8", "cp1252", "utf-8-sig"]))


def _quoting(rng: random.Random) -> Written:
    """For cells that need quotes."""
    return replace(_any(rng), quotes=rng.choice(["minimal", "all"]))


SHAPES: tuple[Callable[[random.Random, int], Table], ...] = (
    sales, sensors, companies, letters, identifiers, european, log, scripts, sparse, single, american, wide_text, pairs,
)  # fmt: skip
_BIG = (sales, companies, identifiers, log, letters)
_BIG_BYTES = 1_100_000


def clean_table(rng: random.Random, big: bool = False) -> Table:
    """A clean table of 20 to 1,500 rows, or a `big` one of more than a megabyte."""
    if big:
        shape = rng.choice(_BIG)
        small = shape(rng, 50)
        size = _BIG_BYTES // (sum(len(",".join(row)) + 1 for row in small.rows) // 50)
        table = shape(rng, size)
        return replace(table, shape=f"big {table.shape}")
    least, most = rng.choices([(20, 60), (60, 160), (300, 1500)], [12, 6, 1])[0]
    size = rng.randint(least, most)
    return rng.choice(SHAPES)(rng, size)
