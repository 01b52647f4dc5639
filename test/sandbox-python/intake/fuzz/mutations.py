"""Seeded changes to bytes."""

import io
import random
import zipfile
import zlib
from collections.abc import Callable

from fuzz.workbooks import zipped

_TOKENS = (
    b'"', b'""', b'"""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\n\n\n", b"\0", b"\0\0\0\0", b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1a", b"\x1b$B", b"'", b"\\", b'\\"', b"#", b"//", b"sep=;\n",
    b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", "\u202e".encode(), "\ufeff".encode(), "٣".encode(), "1e999".encode(), b"-0", b"NaN", b"1e-400", b"9" * 400, b"0x1F", b"1" + b"0" * 5000,
    b"{", b"}", b"[", b"]", b"[[[[", b'{"a":', b"null", b'"\\ud800"', b"<", b">", b"</table>", b"<table>", b"<td colspan=99999999>", b"<td rowspan=-1>", b"&#x0;", b"&#xD800;", b"&lt", b"]]>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!--", b"PK\x03\x04",
    b"2024-02-30", b"0000-00-00", b"9999-12-31", b"10000-01-01", b"31/12/1899", b"24:60:61", b"|---|", b"=1+1", b" " * 300, b"2147483648", b"-1", b"4294967295", b"A1048577", b"XFE1", b'table:number-rows-repeated="999999999"', b'r="ZZZZ99"', b't="s"',
)  # fmt: skip
_MAX_BYTES = 400_000


def mutated(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """The bytes after one to eight changes; members of a zip are changed inside it half of the time."""
    if data.startswith(b"PK") and rng.random() < 0.7:
        return _inside_zip(data, others, rng)
    if data[:2] in (b"\x1f\x8b",) and rng.random() < 0.5:
        return _inside_gzip(data, others, rng)
    out = data
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        out = rng.choice(_CHANGES)(out, others, rng)[:_MAX_BYTES]
    return out


def _inside_zip(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    match rng.randrange(10):
        case 0:
            del members[name]
        case 1:
            members[rng.choice(["../x.csv", "/etc/a.csv", name.upper(), "xl/worksheets/sheet2.xml", "é\u202e.csv"])] = members[name]
        case _:
            members[name] = mutated(members[name], others, rng)
    return zipped(members)


def _inside_gzip(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(mutated(zlib.decompress(data, 31), others, rng)) + packer.flush()


def _flip(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 4, 20])):
        if out:
            out[rng.randrange(len(out))] ^= rng.choice([1, 2, 4, 8, 16, 32, 64, 128, 255])
    return bytes(out)


def _set(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Small numbers and limits, where a length may stand."""
    out = bytearray(data)
    if len(out) > 4:
        at = rng.randrange(len(out) - 4)
        value = rng.choice([0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
        width = rng.choice([1, 2, 4])
        out[at : at + width] = (value & (2 ** (8 * width) - 1)).to_bytes(width, "little")
    return bytes(out)


def _cut(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _cut_out(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice([1, 3, 16, 200]) :]


def _repeat_block(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    block = data[start : start + rng.choice([1, 8, 60, 500])]
    return data[:start] + block * rng.choice([2, 3, 50, 400]) + data[start + len(block) :]


def _splice(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


def _insert(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    out = data
    for _ in range(rng.choice([1, 1, 3, 10])):
        at = rng.randrange(len(out) + 1)
        out = out[:at] + rng.choice(_TOKENS) * rng.choice([1, 1, 1, 2, 40]) + out[at:]
    return out


def _replace(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """One sign for another throughout."""
    if not data:
        return data
    old = data[rng.randrange(len(data))]
    return data.replace(bytes([old]), rng.choice(_TOKENS)[:4])


def _shuffle_lines(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


def _noise(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.randbytes(rng.choice([1, 10, 300])) + data[start:]


Change = Callable[[bytes, list[bytes], random.Random], bytes]
_CHANGES: tuple[Change, ...] = (_flip, _flip, _set, _cut, _cut_out, _repeat_block, _splice, _insert, _insert, _insert, _replace, _shuffle_lines, _noise)


def random_bytes(rng: random.Random) -> bytes:
    """Bytes of no file at all: of all values, or of few."""
    size = rng.choice([1, 2, 3, 7, 50, 700, 5000])
    if rng.random() < 0.5:
        return rng.randbytes(size)
    few = [rng.choice(_TOKENS) for _ in range(rng.randint(2, 6))] + [b"a", b"1"]
    return b"".join(rng.choice(few) for _ in range(size))[:_MAX_BYTES]
