"""A test case with one container for all of its tests. Run with: python3 -m unittest discover -s test/sandbox-python"""

import shutil
import subprocess
import unittest
from typing import Any, ClassVar

from driver_client import IMAGE, DriverClient, Outcome


def image_is_there() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0


def has_gvisor() -> bool:
    if shutil.which("docker") is None:
        return False
    return "runsc" in subprocess.run(["docker", "info", "--format", "{{.Runtimes}}"], capture_output=True, text=True, check=False).stdout


@unittest.skipUnless(image_is_there(), f"needs Docker and the image {IMAGE}")
class SandboxCase(unittest.TestCase):
    """`self.driver` is shared: tests restore what they break."""

    options: ClassVar[dict[str, Any]] = {}
    driver: ClassVar[DriverClient]

    @classmethod
    def setUpClass(cls) -> None:
        cls.driver = DriverClient(**cls.options)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.driver.close()

    def run_ok(self, code: str, **limits: int) -> Outcome:
        outcome = self.driver.run(code, **limits)
        self.assertEqual(outcome.status, "ok", outcome.error)
        return outcome

    def output_of(self, code: str) -> str:
        return self.run_ok(code).stdout.strip()

    def only_result(self, code: str) -> dict[str, Any]:
        results = self.run_ok(code).results
        self.assertEqual(len(results), 1, [list(result) for result in results])
        return results[0]

    def assert_alive(self) -> None:
        self.assertEqual(self.output_of("print(6 * 7)"), "42")
