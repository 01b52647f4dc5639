"""JSON text -> its values with the physical line that each record starts on, as far as the text is sound.

The outer objects and lists are walked here; the records inside go through Python's own decoder, one at a time.
"""

import json
import re
from typing import Any

from plotline.intake.model import Rejected

_SPACE = re.compile(r"[ \t\r\n\ufeff\x1e]*")
_MAX_DEPTH = 5
_MAX_DAMAGED = 10_000
_LONG_LINE = 1_000_000
_LONG_NUMBER = 400
"""Digits beyond which a whole number stays text; no float could hold it."""


class Located(list[Any]):
    """A list with the physical line, from 1, of each item."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


class Scan:
    """`values` are the text's values with their `lines`, one unless it is JSON Lines; `rejected` what could not be read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: list[Any] = []
        self.lines: list[int] = []
        self.rejected: list[Rejected] = []
        self.constants = 0
        self.doubled: list[str] = []
        self.stopped = False
        self.comma_line: int | None = None
        """Where a comma stands after the last record, which JSON does not allow; nothing is missing."""
        self._counted_to = self._line = 0
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=self._constant)
        self._read()

    def _read(self) -> None:
        at = start = self._skip(0)
        line = 0
        while at < len(self.text) and not self.stopped:
            try:
                line = self._line_at(at)
                value, end = self._value(at, 0)
                self.values.append(value)
                self.lines.append(line)
                start = at
                at = self._skip(end)
                if at < len(self.text) and self.text[at] == "," and len(self.values) > 0:
                    at = self._skip(at + 1)  # records one per line with a comma after each
            except (ValueError, RecursionError) as fault:
                if self.values and not self._begins_line(at) and self.lines[-1] == line:
                    self.values.pop()  # something stands behind the record on its line: which of them is right is in doubt
                    self.lines.pop()
                    at = start
                at = self._reject(at, fault)

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        start = self.text[at : at + 1]
        if start == "[" and depth < _MAX_DEPTH and not self.values:
            return self._list(at)
        if start == "{" and depth < _MAX_DEPTH and not self.values:
            return self._outer_object(at, depth)
        return self._decode(at)

    def _decode(self, at: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self.text, at)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a whole number of thousands of digits
            careful = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=self._constant, parse_int=_whole)
            return careful.raw_decode(self.text, at)

    def _list(self, at: int) -> tuple[Any, int]:
        out = Located()
        at = self._skip(at + 1)
        if self.text[at : at + 1] == "]":
            return out, at + 1
        while not self.stopped:
            try:
                start, line = at, self._line_at(at)
                value, end = self._decode(at)
            except (ValueError, RecursionError) as fault:
                if self._belongs_to_a_line(at, out):
                    raise
                at = self._reject(at, fault)
                if at < len(self.text):
                    continue
                break
            out.append(value)
            out.lines.append(line)
            at = self._skip(end)
            sign = self.text[at : at + 1]
            if sign == "]":
                return out, at + 1
            if sign != ",":
                fault = json.JSONDecodeError("Expecting ',' delimiter", self.text, at)
                if self._belongs_to_a_line(start, out[:-1]):
                    raise fault
                if not sign:
                    self._stop(at, fault)
                    break
                # The record's own end is in doubt, as when a bracket is missing: it goes too.
                out.pop()
                out.lines.pop()
                at = self._reject(start, fault)
                if at >= len(self.text):
                    break
                continue
            at = self._skip(at + 1)
            if self.text[at : at + 1] == "]":
                self.comma_line = self._line_at(at)
                return out, at + 1
        return out, len(self.text)

    def _outer_object(self, at: int, depth: int) -> tuple[Any, int]:
        pairs: list[tuple[str, Any]] = []
        at = self._skip(at + 1)
        if self.text[at : at + 1] == "}":
            return {}, at + 1
        while True:
            key, at = self._decode(at) if self.text[at : at + 1] == '"' else (None, at)
            if key is None:
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self.text, at)
            at = self._skip(at)
            if self.text[at : at + 1] != ":":
                raise json.JSONDecodeError("Expecting ':' delimiter", self.text, at)
            value, at = self._value(self._skip(at + 1), depth + 1)
            pairs.append((key, value))
            if self.stopped:
                break
            at = self._skip(at)
            sign = self.text[at : at + 1]
            if sign == "}":
                at += 1
                break
            if sign != ",":
                fault = json.JSONDecodeError("Expecting ',' delimiter", self.text, at)
                if not sign and any(isinstance(value, Located) for _, value in pairs):
                    self._stop(at, fault)
                    break
                raise fault
            at = self._skip(at + 1)
        return self._object(pairs), at

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(pairs)
        if len(out) == len(pairs):
            return out
        out = {}
        for key, value in pairs:
            name, number = key, 2
            while name in out:
                name, number = f"{key} ({number})", number + 1
            if name != key:
                self.doubled.append(key)
            out[name] = value
        return out

    def _constant(self, _word: str) -> None:
        self.constants += 1

    def _reject(self, at: int, fault: Exception) -> int:
        """Rejects the record that starts at `at`; gives the start of the next one that is written like it, or the end."""
        line = self._line_at(at)
        if len(self.rejected) >= _MAX_DAMAGED:
            self._stop(at, fault)
            return len(self.text)
        begins = self.text.rfind("\n", 0, at) + 1
        indent = self.text[begins:at]
        found = None
        if not indent.strip("\ufeff \t"):
            found = re.compile(rf"\n{re.escape(indent)}(?=[{{\[])").search(self.text, at)
        if not found:
            self._stop(at, fault)
            return len(self.text)
        self.rejected.append(Rejected(line, f"is not valid JSON: {reason(fault)}"))
        return found.end()

    def _stop(self, at: int, fault: Exception) -> None:
        self.stopped = True
        rest = self.text.count("\n", at)
        words = f"is not valid JSON: {reason(fault)}" + ("; the file ends there" if not rest else "; what comes after it could not be read")
        self.rejected.append(Rejected(self._line_at(at), words))

    def _belongs_to_a_line(self, at: int, before: list[Any]) -> bool:
        """Whether a damaged item is part of a record of JSON Lines, and not one of a document's records."""
        if self.values:
            return True
        if self._begins_line(at):
            return False
        if not any(isinstance(item, (dict, list)) for item in before):
            return True
        begins = self.text.find("\n", at) + 1
        line = self.text[begins : self.text.find("\n", begins) if "\n" in self.text[begins : begins + _LONG_LINE] else None] if begins else ""
        try:
            return bool(line.strip()) and isinstance(json.loads(line), (dict, list))
        except (ValueError, RecursionError):
            return False

    def _begins_line(self, at: int) -> bool:
        return not self.text[self.text.rfind("\n", 0, at) + 1 : at].strip(" \t")

    def _skip(self, at: int) -> int:
        return _SPACE.match(self.text, at).end()  # type: ignore[union-attr] - it matches nothing at least

    def _line_at(self, at: int) -> int:
        if at < self._counted_to:
            self._line -= self.text.count("\n", at, self._counted_to)
        else:
            self._line += self.text.count("\n", self._counted_to, at)
        self._counted_to = at
        return self._line + 1


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONG_NUMBER else digits


def reason(fault: Exception) -> str:
    """What is wrong, in words for a person."""
    if isinstance(fault, RecursionError):
        return "nested too deeply"
    if not isinstance(fault, json.JSONDecodeError):
        return "a number that is too long"
    rest = fault.doc[fault.pos : fault.pos + 2]
    before = fault.doc[: fault.pos].rstrip()[-1:]
    if rest in ("//", "/*") or rest[:1] == "#":
        return "it holds comments, which JSON does not allow"
    if rest[:1] == "'":
        return "texts stand between single quotes; JSON wants double ones"
    if (rest[:1] in ("}", "]") and before == ",") or "trailing comma" in fault.msg:
        return "there is a comma before a closing bracket"
    return fault.msg
