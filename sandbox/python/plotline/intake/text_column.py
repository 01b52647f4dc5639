"""A column of text cells, each distinct text kept once: what large files are read into.

A column is found by where its cells lie in the file's bytes, so a million cells cost arrays of numbers and not a million
Python objects. Cells are told apart by their bytes where those fit into 64 bits, else by a 64-bit hash with a seed of the
process: among a million distinct texts two share one with a probability of 3e-8.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

_SEED = int.from_bytes(os.urandom(8), "little") | 1
_MIX = np.uint64(0x9E3779B97F4A7C15)
_LONG = 512
"""Bytes from which a cell is hashed on its own: the loop over words would otherwise run for its sake alone."""


PIECE = 50_000
"""Cells that are computed with at once."""


class Buffer:
    """The file's bytes (UTF-8, without NUL), readable as 64-bit words from any position."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data = memoryview(data)
        whole = len(data) // 8 * 8
        self.words = np.frombuffer(self.data[:whole], dtype="<u8")
        rest = bytes(self.data[whole:]) + b"\0" * (24 - (len(data) - whole))
        self.tail = np.frombuffer(rest, dtype="<u8")
        self.codes = np.frombuffer(self.data, dtype=np.uint8)

    def word(self, positions: np.ndarray) -> np.ndarray:
        """The eight bytes from each position on, as little-endian numbers. Bytes after the end are zero."""
        index = positions >> 3
        shift = ((positions & 7) << 3).astype(np.uint64)
        low = self._at(index)
        high = self._at(index + 1)
        low >>= shift
        # A shift by 64 is undefined: shifting twice makes it zero.
        high <<= np.uint64(63) - shift
        high <<= np.uint64(1)
        low |= high
        return low

    def _at(self, index: np.ndarray) -> np.ndarray:
        count = len(self.words)
        if len(index) == 0 or index.max() < count:
            return self.words[index]
        out = np.empty(len(index), dtype=np.uint64)
        inside = index < count
        out[inside] = self.words[index[inside]]
        out[~inside] = self.tail[np.minimum(index[~inside] - count, len(self.tail) - 1)]
        return out


@dataclass(frozen=True)
class Spans:
    """Where cells lie: `buffer[starts[i] : starts[i] + lengths[i]]`. `escaped`: doubled `quote` marks stand for one."""

    buffer: Buffer
    starts: np.ndarray
    lengths: np.ndarray
    quote: str | None = None
    escaped: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, index: np.ndarray) -> "Spans":
        return Spans(self.buffer, self.starts[index], self.lengths[index], self.quote, self.escaped)

    def texts(self) -> list[str]:
        data = self.buffer.data
        out = [str(data[start : start + length], "utf-8", "replace") for start, length in zip(self.starts.tolist(), self.lengths.tolist())]
        if self.escaped and self.quote:
            double = self.quote * 2
            out = [text.replace(double, self.quote) if double in text else text for text in out]
        return out

    def pieces(self) -> "Iterator[tuple[slice, Spans]]":
        """The cells in pieces, so that what is computed on the way stays small."""
        for start in range(0, len(self), PIECE):
            part = slice(start, start + PIECE)
            yield part, Spans(self.buffer, self.starts[part], self.lengths[part], self.quote, self.escaped)

    def keys(self, short: bool) -> np.ndarray:
        """One 64-bit number per cell, equal where the bytes are. `short`: no cell has more than eight bytes."""
        if len(self) <= PIECE:
            return self._keys(short)
        keys = np.empty(len(self), dtype=np.uint64)
        for part, spans in self.pieces():
            keys[part] = spans._keys(short)
        return keys

    def _keys(self, short: bool) -> np.ndarray:
        lengths = self.lengths
        if short:
            return _masked(self.buffer.word(self.starts), lengths)
        keys = lengths.astype(np.uint64) * np.uint64(_SEED)
        active: np.ndarray | None = None
        longest = int(lengths.max(initial=0))
        for offset in range(0, min(longest, _LONG), 8):
            if offset:
                going = np.flatnonzero((lengths if active is None else lengths[active]) > offset)
                active = going if active is None else active[going]
                word = _masked(self.buffer.word(self.starts[active] + offset), lengths[active] - offset)
                keys[active] = _mixed(keys[active] ^ word)
            else:
                keys = _mixed(keys ^ _masked(self.buffer.word(self.starts), lengths))
        if longest > _LONG:
            for row in np.flatnonzero(lengths > _LONG).tolist():
                start = int(self.starts[row])
                keys[row] ^= np.uint64(hash(bytes(self.buffer.data[start : start + int(lengths[row])])) & (2**64 - 1))
        return keys


def _masked(words: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The words with the bytes after each cell's end set to zero."""
    shift = ((8 - np.clip(lengths, 0, 8)) << 3).astype(np.uint64)
    empty = shift == 64
    shift[empty] = 0
    mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> shift
    mask[empty] = 0
    words &= mask
    return words


def _mixed(keys: np.ndarray) -> np.ndarray:
    keys *= _MIX
    keys ^= keys >> np.uint64(29)
    keys *= np.uint64(_SEED)
    keys ^= keys >> np.uint64(32)
    return keys


class TextColumn(Sequence[str]):
    """The cells of a column: `codes[row]` numbers the cell's text among the distinct ones, in order of appearance."""

    def __init__(self, codes: np.ndarray, spans: Spans | None, texts: list[str] | None, extra: dict[int, str] | None = None) -> None:
        self.codes = codes
        self.spans = spans
        self._texts = texts
        self._extra = extra or {}

    @classmethod
    def of_texts(cls, values: Sequence[str]) -> "TextColumn":
        """The column of these texts."""
        boxed = np.empty(len(values), dtype=object)
        boxed[:] = values
        codes, uniques = pd.factorize(boxed, use_na_sentinel=False)
        return cls(codes.astype(np.min_scalar_type(-len(uniques) - 1)), None, list(uniques))

    @classmethod
    def of_spans(cls, spans: Spans, rows: np.ndarray | None = None, others: Sequence[str] = (), other_rows: np.ndarray | None = None) -> "TextColumn":
        """The column whose cells lie at `spans`, in `rows`; the `others` stand in `other_rows`. Without `others` the
        spans are all rows in order."""
        if not others:
            short = int(spans.lengths.max(initial=0)) <= 8
            codes, first = _factorized(spans.keys(short))
            return cls(codes, spans.take(first), None)
        assert rows is not None and other_rows is not None
        pieces = [other.encode("utf-8", "replace") for other in others]
        lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
        side = Spans(Buffer(b"".join(pieces)), np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
        short = max(int(spans.lengths.max(initial=0)), int(lengths.max(initial=0))) <= 8
        keys = np.empty(len(spans) + len(side), dtype=np.uint64)
        keys[rows] = spans.keys(short)
        keys[other_rows] = side.keys(short)
        codes, first = _factorized(keys)
        where = np.zeros(len(keys), dtype=np.int64)
        where[rows] = np.arange(len(spans))
        where[other_rows] = -1 - np.arange(len(side))
        source = where[first]
        extra = {int(index): others[-1 - int(source[index])] for index in np.flatnonzero(source < 0)}
        return cls(codes, spans.take(np.maximum(source, 0)), None, extra)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str:  # type: ignore[override]
        return self.distinct[self.codes[row]]

    def __iter__(self) -> Iterator[str]:
        distinct = self.distinct
        return (distinct[code] for code in self.codes.tolist())

    @property
    def distinct(self) -> list[str]:
        """The distinct texts; `codes` are their positions."""
        if self._texts is None:
            assert self.spans is not None
            self._texts = self.spans.texts()
            for index, text in self._extra.items():
                self._texts[index] = text
        return self._texts

    def distinct_at(self, indexes: np.ndarray) -> list[str]:
        """Some of the distinct texts, without making the others."""
        if self._texts is not None:
            return [self._texts[index] for index in indexes.tolist()]
        assert self.spans is not None
        found = self.spans.take(indexes).texts()
        return [self._extra.get(index, text) for index, text in zip(indexes.tolist(), found)]

    @property
    def distinct_count(self) -> int:
        return len(self._texts) if self._texts is not None else len(self.spans or ())

    @cached_property
    def counts(self) -> np.ndarray:
        """How many cells hold each distinct text."""
        return np.bincount(self.codes, minlength=self.distinct_count)

    @property
    def has_edge_blanks(self) -> bool:
        """Whether some cell may begin or end with a blank."""
        if self.spans is None or self._extra:
            return True
        codes, starts, lengths = self.spans.buffer.codes, self.spans.starts, self.spans.lengths
        last = len(codes) - 1
        edges = (codes[np.minimum(starts, last)] == 32) | (codes[np.clip(starts + lengths - 1, 0, last)] == 32)
        return bool((edges & (lengths > 0)).any())

    @property
    def from_others(self) -> frozenset[int]:
        """The distinct texts that do not lie at their spans."""
        return frozenset(self._extra)

    def array(self) -> np.ndarray:
        """The cells as an array of texts that shares equal ones."""
        table = np.empty(self.distinct_count, dtype=object)
        table[:] = self.distinct
        return table[self.codes]

    def forget(self) -> None:
        """Lets go of the texts that can be made again from the file's bytes."""
        if self.spans is not None:
            self._texts = None

    def mapped(self, change: dict[str, str]) -> "TextColumn":
        """The column with some distinct texts replaced; equal results become one."""
        return TextColumn.of_texts([change.get(text, text) for text in self.distinct])._through(self.codes)

    def _through(self, codes: np.ndarray) -> "TextColumn":
        return TextColumn(self.codes[codes], None, self.distinct)


def _factorized(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes in order of appearance, and the row in which each code appears first."""
    codes, uniques = pd.factorize(keys)
    first = np.empty(len(uniques), dtype=np.int64)
    # Written backwards, the first appearance is written last.
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return codes.astype(np.min_scalar_type(-len(uniques) - 1)), first
