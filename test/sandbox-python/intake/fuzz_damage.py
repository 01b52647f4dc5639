"""Seeded damage to clean tables: `python3 fuzz_damage.py [FILES] [SEED]` counts silent row losses and silent cell changes.

A damaged file passes when every cell is loaded as it was, or the damaged line is named (rejected, unusable or warned about).
Naming more than a tenth of the lines counts as naming none.
"""

import collections
import random
import sys
import tempfile
from pathlib import Path

import pandas as pd

from plotline.intake import card, load


def clean(kind: int, rng: random.Random) -> list[list[str]]:
    cities = ["Oslo", "Lima", "Bern", "Rome", "Quito", "São Paulo"]
    rows = []
    for index in range(1, rng.randint(25, 120)):
        day = f"2024-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        match kind:
            case 0:
                rows.append([str(index), rng.choice(cities), f"{rng.random() * 1000:.2f}", day])
            case 1:
                rows.append([f"C{index:05d}", f"Name {index}, Inc.", rng.choice("ABC"), str(rng.randint(1, 99)), f"{rng.random():.4f}"])
            case 2:
                rows.append([day, rng.choice(cities), str(rng.randint(-50, 50))])
            case _:
                rows.append([rng.choice(cities), rng.choice(["red", "green"]), f"note {rng.randint(1, 9)} on it", f"{index:06d}", str(index * 3), day])
    names = [["id", "city", "amount", "day"], ["code", "company", "class", "count", "share"], ["day", "city", "degrees"], ["city", "colour", "note", "part no", "n", "day"]]
    return [names[min(kind, 3)], *rows]


def written(row: list[str], delimiter: str, quote_all: bool) -> str:
    return delimiter.join(f'"{value}"' if quote_all or delimiter in value else value for value in row)


def damage(lines: list[str], rows: list[list[str]], delimiter: str, rng: random.Random) -> tuple[str, set[int], bytes]:
    """(kind, physical lines that were damaged, the file)."""
    kinds = "none extra missing open-quote stray-quote merged split other-delimiter other-encoding truncated comment repeat-header blank-line hollow text-in-number swapped footer preamble crlf-mixed bom doubled-delimiter nul trailing-delimiter".split()
    kind = rng.choice(kinds)
    at = rng.randrange(2, len(lines) - 1)
    hit = {at + 1}
    out = list(lines)
    match kind:
        case "extra":
            out[at] += delimiter + "x"
        case "missing":
            out[at] = delimiter.join(rows[at][:-1]) if not any(delimiter in value for value in rows[at]) else rows[at][0]
        case "open-quote":
            position = rng.choice([0, *[index + 1 for index, sign in enumerate(out[at]) if sign == delimiter]])
            out[at] = out[at][:position] + '"' + out[at][position:]
        case "stray-quote":
            position = rng.randrange(1, len(out[at]))
            out[at] = out[at][:position] + '"' + out[at][position:]
        case "merged":
            out[at] += out.pop(at + 1)
        case "split":
            cut = rng.randrange(1, len(out[at]))
            out[at : at + 1] = [out[at][:cut], out[at][cut:]]
            hit = {at + 1, at + 2}
        case "other-delimiter":
            out[at] = out[at].replace(delimiter, {",": ";", ";": ",", "\t": ",", "|": ","}[delimiter])
        case "truncated":
            cut = rng.randrange(1, len(out[-1]))
            out[-1] = out[-1][:cut]
            hit = {len(out)}
        case "comment":
            out.insert(at, "# a comment")
        case "repeat-header":
            out.insert(at, out[0])
        case "blank-line":
            out.insert(at, "")
            hit = set()
        case "hollow":
            out.insert(at, delimiter * (len(rows[0]) - 1))
        case "text-in-number" | "swapped":
            row = list(rows[at])
            if kind == "swapped":
                row[0], row[-1] = row[-1], row[0]
            else:
                row[-1] = "oops"
            rows[at] = row
            out[at] = written(row, delimiter, out[at].startswith('"') and out[at].endswith('"'))
            hit = set()  # a well-formed line: it must be loaded as it is, or named
        case "footer":
            out.append("Source: somebody")
            hit = {len(out)}
        case "preamble":
            out.insert(0, "A title of the table")
            hit = set()
        case "doubled-delimiter":
            out[at] = out[at].replace(delimiter, delimiter * 2, 1)
        case "trailing-delimiter":
            out[at] += delimiter
        case "none" | "crlf-mixed" | "bom":
            hit = set()
    ends = ["\r\n" if kind == "crlf-mixed" and index % 3 else "\n" for index in range(len(out))]
    data = "".join(line + end for line, end in zip(out, ends)).encode()
    if kind == "bom":
        data = b"\xef\xbb\xbf" + data
    if kind == "other-encoding":
        parts = data.split(b"\n")
        parts[at] = parts[at].replace("ã".encode(), b"") + b""
        parts[at] = parts[at][:1] + "é".encode("cp1252") + parts[at][1:]
        data = b"\n".join(parts)
    if kind == "nul":
        parts = data.split(b"\n")
        parts[at] = parts[at][:2] + b"\0" + parts[at][2:]
        data = b"\n".join(parts)
        hit = set()
    return kind, hit, data


def same(ours: object, raw: str) -> bool:
    if ours is None or ours is pd.NaT or ours is pd.NA or (isinstance(ours, float) and ours != ours):
        return raw == ""
    if isinstance(ours, pd.Timestamp):
        return ours.strftime("%Y-%m-%d") == raw
    if isinstance(ours, str):
        return ours == raw
    return float(ours) == float(raw) if raw.lstrip("-").replace(".", "", 1).isdigit() else False


def judge(path: Path, rows: list[list[str]], hit: set[int], offset: int) -> str:
    found = card(path)
    if not found["ok"] or not found["tables"]:
        return "not loaded"
    frame = load(path)
    named = {item["line"] for item in frame.attrs["rejected"]} | {item["line"] for item in frame.attrs["unusable"]}
    named |= {warning["line"] for warning in found["warnings"] if warning["line"]}
    if hit and len(named) * 10 > len(rows) + 10:
        return "named too many"
    unusable = {(item["line"], item["column"]) for item in frame.attrs["unusable"]}
    if hit and not named & hit:
        kept = [tuple(row) for row in frame.itertuples(index=False)]
        exact = len(kept) == len(rows) - 1 and all(all(same(ours, raw) for ours, raw in zip(row, source)) for row, source in zip(kept, rows[1:]))
        return "ok" if exact else "silent"
    # Every row beside the damage must be there, cell by cell.
    wanted = collections.Counter(tuple(row) for row in rows[1:])
    header = list(frame.columns)
    if header != rows[0]:
        return f"header {header}"
    lost = 0
    position = 0
    for row in rows[1:]:
        while position < len(frame) and not all(same(ours, raw) or any(column == name for _, column in unusable) for name, ours, raw in zip(header, frame.iloc[position], row)):
            position += 1
        if position >= len(frame):
            lost += 1
            position = 0
            continue
        position += 1
    allowed = len(hit) + (1 if hit else 0)
    return "ok" if lost <= allowed and sum(wanted.values()) - len(frame) <= allowed else f"lost {lost}"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    results: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as directory:
        for number in range(count):
            rows = clean(rng.randrange(4), rng)
            delimiter = rng.choice([",", ",", ";", "\t", "|"])
            quote_all = rng.random() < 0.3
            lines = [written(row, delimiter, quote_all) for row in rows]
            kind, hit, data = damage(lines, rows, delimiter, rng)
            path = Path(directory) / "f.csv"
            path.write_bytes(data)
            verdict = judge(path, rows, hit, 0)
            results[kind][verdict.split(" [")[0]] += 1
            if verdict != "ok" and len(sys.argv) > 3:
                Path(sys.argv[3], f"{kind}-{number}.csv").write_bytes(data)
                print(kind, number, verdict, sorted(hit))
    for kind, verdicts in sorted(results.items()):
        print(f"{kind:18} {dict(verdicts)}")


if __name__ == "__main__":
    main()
