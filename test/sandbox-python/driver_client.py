"""A small client of the driver protocol (sandbox/protocol.md) for tests: starts a container and talks to it."""

import itertools
import json
import os
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "sandbox" / "python"
RUNTIME = os.environ.get("PLOTLINE_TEST_RUNTIME", "runc")
IMAGE = os.environ.get("PLOTLINE_TEST_IMAGE", "plotline-sandbox:latest")


@dataclass
class Outcome:
    """What one run gave."""

    status: str = ""
    error: dict[str, str] | None = None
    stdout: str = ""
    stderr: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    duration_ms: int = 0
    truncated: bool = False
    state_kept: bool | None = None
    seconds: float = 0.0
    output_frames: int = 0


class DriverClient:
    """One container with its driver. Use as a context manager."""

    def __init__(self, memory: str = "1g", source: Path | None = SOURCE, workspace: str = "512m", runtime: str = RUNTIME) -> None:
        self._ids = itertools.count(1)
        command = [
            "docker", "run", "-i", "--rm", "--label", "plotline.test=driver", "--network", "none", "--read-only",
            "--runtime", runtime, "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "10001:10001",
            "--memory", memory, "--memory-swap", memory, "--pids-limit", "128" if runtime == "runc" else "2048", "--cpus", "2", "--log-driver", "none",
            "--tmpfs", f"/mnt/data:rw,nosuid,nodev,size={workspace},nr_inodes=20000,uid=10001,gid=10001,mode=0700",
            "--tmpfs", "/tmp:rw,nosuid,nodev,size=128m,nr_inodes=20000,mode=1777",
        ]  # fmt: skip
        if source is not None:
            command += ["-v", f"{source}:/src:ro", "-e", "PYTHONPATH=/src"]
        command += ["-e", "SECRET_TOKEN=xoxb-canary", "--entrypoint", "python3", IMAGE, "-m", "plotline.driver"]
        started = time.monotonic()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.hello, _ = self.receive()
        self.start_seconds = time.monotonic() - started

    def __enter__(self) -> "DriverClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> int:
        if not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait(timeout=20)

    def send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        head = json.dumps(header).encode()
        self._process.stdin.write(struct.pack(">II", len(head), len(payload)) + head + payload)
        self._process.stdin.flush()

    def receive(self) -> tuple[dict[str, Any], bytes]:
        head_bytes, payload_bytes = struct.unpack(">II", self._exactly(8))
        return json.loads(self._exactly(head_bytes)), self._exactly(payload_bytes)

    def _exactly(self, size: int) -> bytes:
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise EOFError(f"the driver is gone, exit code {self._process.poll()}")
        return data

    def next_id(self) -> int:
        return next(self._ids)

    def start(self, code: str, timeout_ms: int = 20_000, grace_ms: int = 1000, max_output: int = 1 << 20, **more: object) -> int:
        """`more`: members of the request that need not be there."""
        request = self.next_id()
        limits = {"timeoutMs": timeout_ms, "graceMs": grace_ms, "maxOutputBytes": max_output}
        self.send({"type": "run", "id": request, **limits, **more}, code.encode())
        return request

    def run(self, code: str, **limits: Any) -> Outcome:
        started = time.monotonic()
        outcome = self.collect(self.start(code, **limits))
        outcome.seconds = time.monotonic() - started
        return outcome

    def collect(self, request: int) -> Outcome:
        outcome = Outcome()
        while True:
            header, payload = self.receive()
            assert header["id"] == request, header
            if header["type"] == "output":
                outcome.output_frames += 1
                text = payload.decode("utf-8")
                if header["stream"] == "stdout":
                    outcome.stdout += text
                else:
                    outcome.stderr += text
            elif header["type"] == "result":
                outcome.results.append(_bundle(header["parts"], payload))
            else:
                assert header["type"] == "done", header
                outcome.status, outcome.error = header["status"], header["error"]
                outcome.files, outcome.duration_ms = header["files"], header["durationMs"]
                outcome.truncated, outcome.state_kept = header["truncated"], header["stateKept"]
                return outcome

    def write(self, path: str, data: bytes, declare: int | None = -1, abort: bool = False) -> dict[str, Any]:
        request = self.next_id()
        self.send({"type": "write", "id": request, "path": path, "sizeBytes": len(data) if declare == -1 else declare})
        for start in range(0, len(data), 1 << 20):
            self.send({"type": "write-data", "id": request}, data[start : start + (1 << 20)])
        self.send({"type": "write-end", "id": request, "abort": abort})
        return self.receive()[0]

    def read(self, path: str, max_bytes: int = 200 << 20) -> tuple[dict[str, Any], bytes]:
        request = self.next_id()
        self.send({"type": "read", "id": request, "path": path, "maxBytes": max_bytes})
        pieces = []
        while True:
            header, payload = self.receive()
            if header["type"] != "data":
                return header, b"".join(pieces)
            pieces.append(payload)

    def list(self, path: str = "") -> dict[str, Any]:
        request = self.next_id()
        self.send({"type": "list", "id": request, "path": path})
        return self.receive()[0]


def _bundle(parts: list[dict[str, Any]], payload: bytes) -> dict[str, Any]:
    bundle: dict[str, Any] = {}
    offset = 0
    for part in parts:
        chunk = payload[offset : offset + part["bytes"]]
        offset += part["bytes"]
        if part["encoding"] == "binary":
            bundle[part["mime"]] = chunk
        else:
            text = chunk.decode("utf-8")
            bundle[part["mime"]] = json.loads(text) if part["encoding"] == "json" else text
    assert offset == len(payload)
    return bundle
