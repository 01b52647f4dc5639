"""Frames over descriptors: however they are cut, without more held than one frame. Needs no container."""

import json
import os
import struct
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sandbox" / "python"))

from plotline.driver.outbox import GATHER_BYTES, Outbox  # noqa: E402
from plotline.frames import PAYLOAD_LIMIT_BYTES, READ_AHEAD_BYTES, FrameError, FrameReader, encode_head  # noqa: E402


def frame(header: dict[str, Any], payload: bytes = b"") -> bytes:
    return encode_head(header, len(payload)) + payload


class Pipe(unittest.TestCase):
    def setUp(self) -> None:
        self.source, self.target = os.pipe()
        os.set_blocking(self.source, False)
        os.set_blocking(self.target, False)
        self.addCleanup(os.close, self.source)
        self.addCleanup(os.close, self.target)

    def read_all(self, reader: FrameReader) -> list[tuple[dict[str, Any], bytes]]:
        frames = []
        while True:
            while (found := reader.next()) is not None:
                frames.append((found[0], bytes(found[1])))
            try:
                reader.read(self.source)
            except BlockingIOError:
                return frames


class Reading(Pipe):
    def test_any_cut_gives_the_same_frames(self) -> None:
        wanted = [({"type": "a", "n": 1}, b""), ({"type": "ü"}, b"payload"), ({"type": "c"}, bytes(range(256)) * 3)]
        data = b"".join(frame(*each) for each in wanted)
        for size in (1, 2, 3, 7, 8, 9, 64, len(data)):
            reader, found = FrameReader(), []
            for start in range(0, len(data), size):
                os.write(self.target, data[start : start + size])
                found += self.read_all(reader)
            self.assertEqual(found, wanted, size)
            self.assertEqual(reader.held_bytes, 0)

    def test_a_large_payload_is_read_into_place(self) -> None:
        payload = os.urandom(3 << 20)
        data = frame({"type": "x"}, payload) + frame({"type": "y"}, b"z")
        reader, found, most = FrameReader(), [], 0
        for start in range(0, len(data), 50_000):
            os.write(self.target, data[start : start + 50_000])
            found += self.read_all(reader)
            most = max(most, reader.held_bytes)
        self.assertEqual(found, [({"type": "x"}, payload), ({"type": "y"}, b"z")])
        self.assertLessEqual(most, len(payload) + READ_AHEAD_BYTES + 100)

    def test_what_is_no_frame_is_refused(self) -> None:
        head = json.dumps({"type": "x"}).encode()
        for data in (
            struct.pack(">II", 0, 0),
            struct.pack(">II", (1 << 20) + 1, 0),
            struct.pack(">II", len(head), PAYLOAD_LIMIT_BYTES + 1) + head,
            struct.pack(">II", 2, 0) + b"[]",
            struct.pack(">II", 2, 0) + b"{}",
            struct.pack(">II", 2, 0) + b"\xff\xff",
            struct.pack(">II", 60_000, 0) + b"[" * 60_000,
        ):
            os.write(self.target, data)
            with self.assertRaises(FrameError):
                self.read_all(FrameReader())

    def test_the_end_is_told(self) -> None:
        source, target = os.pipe()
        os.close(target)
        self.assertEqual(FrameReader().read(source), 0)
        os.close(source)


class Writing(Pipe):
    def test_small_frames_are_one_write(self) -> None:
        outbox = Outbox(self.target)
        for number in range(20):
            outbox.send({"type": "output", "n": number}, b"x" * 100)
        with self.assertRaises(BlockingIOError):
            os.read(self.source, 1)
        outbox.flush()
        self.assertEqual(outbox.pending_bytes, 0)
        self.assertEqual([header["n"] for header, _ in self.read_all(FrameReader())], list(range(20)))

    def test_much_is_not_kept_back(self) -> None:
        outbox = Outbox(self.target)
        outbox.send({"type": "data"}, bytes(GATHER_BYTES))
        self.assertGreater(len(os.read(self.source, 1 << 20)), 0)

    def test_a_full_pipe_keeps_order_and_counts(self) -> None:
        outbox, reader, found = Outbox(self.target), FrameReader(), []
        payloads = [os.urandom(size) for size in (10, 700_000, 0, 300_000, 5)]
        for payload in payloads:
            outbox.send({"type": "data"}, payload)
        self.assertGreater(outbox.pending_bytes, 0)
        while outbox.pending_bytes:
            found += self.read_all(reader)
            outbox.flush()
        found += self.read_all(reader)
        self.assertEqual([payload for _, payload in found], payloads)

    def test_a_frame_over_the_cap_is_refused(self) -> None:
        with self.assertRaises(FrameError):
            Outbox(self.target).send({"type": "data"}, bytes(PAYLOAD_LIMIT_BYTES + 1))


if __name__ == "__main__":
    unittest.main()
