"""Text files of nasty shapes, of any size: whatever is quadratic in them shows."""

import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping

Shape = Callable[[int], tuple[str, bytes]]
"""A size in bytes -> a file's name and about so many bytes."""


def _of(unit: bytes, head: bytes = b"", tail: bytes = b"", name: str = "t.csv") -> Shape:
    return lambda size: (name, head + unit * max(1, (size - len(head)) // len(unit)) + tail)


def _open_quote_and_short_lines(size: int) -> tuple[str, bytes]:
    return "t.csv", b'a,b\n1,"x\n' + b"".join(b"%d,y\n" % (number % 1000) for number in range(size // 6))


def _every_line_cut_elsewhere(size: int) -> tuple[str, bytes]:
    line = b'12,"some, text",3.5,2024-01-02,"more ""text"" here"'
    return "t.csv", b"n,a,b,c,d\n" + b"".join(line[: index * 7 % len(line)] + b"\n" for index in range(size * 2 // len(line)))


def _random_signs(size: int) -> tuple[str, bytes]:
    return "t.csv", bytes(random.Random(7).choices(b'"\n,;\\ a1', k=size))


def _random_quoted(size: int) -> tuple[str, bytes]:
    return "t.csv", b"id,x,y\n" + bytes(random.Random(8).choices(b'""""\n\n,,ab', k=size))


def _growing_widths(size: int) -> tuple[str, bytes]:
    out, width = [], 1
    total = 0
    while total < size:
        out.append(b"," * width)
        total += width + 1
        width += 1
    return "t.csv", b"\n".join(out)


def _all_columns(size: int) -> tuple[str, bytes]:
    """As many columns as a file may have."""
    width = min(16_384, size // 6)
    return "t.csv", (",".join(f"c{n}" for n in range(width)) + "\n" + (",".join(map(str, range(width))) + "\n") * 3).encode()


def _different_objects(size: int) -> tuple[str, bytes]:
    return "t.json", json.dumps([{f"key {number}": number} for number in range(size // 30)]).encode()


def _equal_names(size: int) -> tuple[str, bytes]:
    columns = size // 4
    return "t.csv", b"a," * columns + b"a\n" + b"1," * columns + b"1\n"


def _much_in_little(name: str, member: str) -> Shape:
    """A zip of a few kB that holds 600 times the size."""

    def shape(size: int) -> tuple[str, bytes]:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open(member, "w") as file:
            for _ in range(max(1, 600 * size // 100_000)):
                file.write(b"1,2,3,4\n" * 12_500)
        return name, out.getvalue()

    return shape


SHAPES: Mapping[str, Shape] = {
    "quotes": _of(b'"'),
    "delimiters": _of(b","),
    "tabs": _of(b"\t"),
    "backslashes": _of(b"\\", b'a,b\n1,"'),
    "backslashed quotes": _of(b'\\"', b'a,b\n1,"'),
    "quotes and line ends": _of(b'"\n'),
    "quotes and delimiters": _of(b'",'),
    "delimiters and quotes": _of(b',"'),
    "apostrophes": _of(b"it's, 'x\n"),
    "every line opens a quote": _of(b'1,"open,2\n', b"a,b,c\n"),
    "every line begins with a quote": _of(b'"abc\n', b"a,b\n"),
    "every line closes and opens": _of(b'x",y,"z\n', b"a,b,c\n"),
    "text after quotes": _of(b'"a"b,"c"d\n', b"a,b\n"),
    "one long line": _of(b"word ", b"a,b\n1,"),
    "one long quoted field": _of(b"word, ", b'a,b\n1,"', b'"\n'),
    "one field of lines": _of(b"word, 1\n", b'a,b\n1,"', b'"\n'),
    "open quote and short lines": _open_quote_and_short_lines,
    "short lines": _of(b"1\n"),
    "blank lines": _of(b"\n", b"a,b\n1,2\n", b"3,4\n"),
    "carriage returns": _of(b"\r", b"a,b\n1,2\n", b"3,4\n"),
    "lines of blanks": _of(b"   \n", b"a,b\n1,2\n"),
    "lines of delimiters": _of(b",,,\n", b"a,b,c,d\n1,2,3,4\n"),
    "blanks": _of(b" ", b"a b\n1 2\n"),
    "brackets": _of(b"["),
    "brackets in JSON": _of(b"[", name="t.json"),
    "objects in JSON": _of(b'{"a":', name="t.json"),
    "quotes in JSON": _of(b'"', b"[", name="t.json"),
    "digits in JSON": _of(b"9", b"[", b"]", name="t.json"),
    "lines of JSON": _of(b'{"a":1}\n', name="t.jsonl"),
    "different objects": _different_objects,
    "comments": _of(b"# words\n", b"a,b\n1,2\n"),
    "digits": _of(b"1", b"a,b\n1,"),
    "lines of digits": _of(b"1" * 1000 + b",2\n", b"a,b\n"),
    "dates that are none": _of(b"1/1/1/1/1/1/1/1/1/1,2\n", b"a,b\n"),
    "marks of thousands": _of(b"1,111,111.", b"a;b\n1;"),
    "opening tags": _of(b"<table><tr><td>", name="t.html"),
    "angle brackets": _of(b"<", b"<html><table>", name="t.html"),
    "spans": _of(b'<td colspan="9999" rowspan="9999">x</td>', b"<table><tr>", name="t.html"),
    "bars": _of(b"|", b"| a | b |\n|---|---|\n", name="t.md"),
    "dashes": _of(b"-", b"| a | b |\n|", name="t.md"),
    "random signs": _random_signs,
    "random quotes": _random_quoted,
    "lines cut at any place": _every_line_cut_elsewhere,
    "growing widths": _growing_widths,
    "all columns": _all_columns,
    "two bytes a letter": _of('"ü,\n'.encode("utf-16-le"), b"\xff\xfe"),
    "bytes of no encoding": _of(b"\x81\x8d\xff,\xfe\n"),
    "zero bytes": _of(b"\0", b"a,b\n1,2\n"),
    "byte-order marks": _of(b"\xef\xbb\xbf", b"a,b\n1,2\n"),
    "tables and blank lines": _of(b"a,b\n1,2\n3,4\n\n\n"),
    "tables of other widths": _of(b"a,b\n1,2\n\n\nx,y,z\n1,2,3\n\n\n"),
    "bytes above 127": _of(bytes(range(128, 256)) + b"\n"),
    "equal names": _equal_names,
    "runs of blanks": _of(b"a" + b" " * 40, name="t.txt"),
    "spans of thousands of rows": _of(b"<tr><td rowspan=5000 colspan=50>x</td></tr>", b"<html><table>", name="t.html"),
    "many rows in a zip": _much_in_little("t.zip", "a.csv"),
    "escapes of Japanese": _of(b"\x1b$B$\"\x1b(B,\n"),
}
