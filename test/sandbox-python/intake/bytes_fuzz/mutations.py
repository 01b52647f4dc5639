"""Seeded mutations of a file's bytes. What is packed is unpacked first, so that the damage reaches what is inside."""

import gzip
import io
import random
import zipfile
from collections.abc import Mapping

_SIGNS = [b'"', b"'", b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\0", b"\\", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b$B", b"=", b"<", b"&", b"{", b"[", b"\x80", b"\xc3", b"9" * 400, b"-", b"e308", b"\xe2\x80\xae"]
_NUMBERS = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\x7f", b"\xff\xff", b"\0\0", b"\x01\0", b"\0\0\0\x80", b"2147483648", b"-1", b"1e999", b"NaN", b"1048577", b"99999999999999999999"]
_UNITS = [b'"', b",", b"\t", b";", b"\n", b'"\n', b',"', b'""', b"[", b'{"a":', b"<table><tr><td>", b"a,", b"| ", b"0", b"\0", b"x\r", b"<Row>", b"&#10;"]


def mutated(names: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    """A file's name and its damaged content."""
    name = rng.choice(list(names))
    data = names[name]
    if rng.random() < 0.03:
        return name, rng.randbytes(rng.choice([1, 4, 100, 5000]))
    if name.rsplit(".", 1)[-1] in ("xlsx", "ods", "zip") and rng.random() < 0.8:
        return name, _inside(data, names, rng)
    if name.endswith(".gz") and rng.random() < 0.5:
        return name, gzip.compress(_bytes(gzip.decompress(data), names, rng), mtime=0)
    return name, _bytes(data, names, rng)


def _inside(data: bytes, names: Mapping[str, bytes], rng: random.Random) -> bytes:
    """The archive with one of its members damaged, left out or twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        members = old.namelist()
        chosen = rng.choice([member for member in members if "sheet" in member or "content" in member or "shared" in member] or members) if rng.random() < 0.7 else rng.choice(members)
        left_out = rng.random() < 0.08
        for member in members:
            content = old.read(member)
            if member == chosen:
                if left_out:
                    continue
                content = _bytes(content, names, rng)
            new.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _bytes(data: bytes, names: Mapping[str, bytes], rng: random.Random) -> bytes:
    for _ in range(rng.choice([1, 1, 2, 4, 12])):
        data = _once(data, names, rng)
    return data


def _once(data: bytes, names: Mapping[str, bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice([1, 4, 40, 400]))
    match rng.randrange(10):
        case 0:
            flipped = bytes(byte ^ (1 << rng.randrange(8)) for byte in data[at : at + 3])
            return data[:at] + flipped + data[at + 3 :]
        case 1:
            return data[:at]
        case 2:
            return data[:at] + data[end:]
        case 3:
            target = rng.randrange(len(data) + 1)
            return data[:target] + data[at:end] * rng.choice([1, 2, 30]) + data[target:]
        case 4:
            other = names[rng.choice(list(names))]
            return data[:at] + other[rng.randrange(len(other)) :]
        case 5 | 6:
            return data[:at] + rng.choice(_SIGNS) + data[at:]
        case 7:
            number = rng.choice(_NUMBERS)
            return data[:at] + number + data[at + len(number) :]
        case 8:
            return data[:at] + rng.choice(_UNITS) * rng.choice([3, 50, 3000]) + data[at:]
        case _:
            return data[:at] + rng.randbytes(rng.choice([1, 8, 200])) + data[end:]
