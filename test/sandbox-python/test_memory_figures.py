"""What the driver reads about memory: control groups of both versions, and gVisor's figures. Needs no container."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sandbox" / "python"))

from plotline.cgroup import KillCounter, cpu_count, memory_limit_bytes  # noqa: E402
from plotline.driver.memory_guard import ALLOWANCE_BYTES, MARGIN_BYTES, OVERHEAD_BYTES, MemoryGuard  # noqa: E402

MEGABYTE = 1 << 20


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def put(self, path: str, text: str) -> None:
        target = Path(self.root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


class ControlGroup(Folder):
    def test_version_2(self) -> None:
        self.put("memory.max", "536870912\n")
        self.put("memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n")
        self.put("cpu.max", "150000 100000\n")
        counter = KillCounter(self.root)
        self.assertEqual(counter.kills(), 2)
        self.put("memory.events", "low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 1\n")
        self.assertEqual(counter.kills(), 3)
        self.assertEqual(memory_limit_bytes(self.root), 512 * MEGABYTE)
        self.assertLessEqual(cpu_count(self.root), 2)

    def test_version_2_without_limits(self) -> None:
        self.put("memory.max", "max\n")
        self.put("cpu.max", "max 100000\n")
        self.assertIsNone(memory_limit_bytes(self.root))
        self.assertGreaterEqual(cpu_count(self.root), 1)

    def test_version_1(self) -> None:
        self.put("memory/memory.limit_in_bytes", "268435456\n")
        self.put("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")
        self.put("cpu/cpu.cfs_quota_us", "50000\n")
        self.put("cpu/cpu.cfs_period_us", "100000\n")
        self.assertEqual(KillCounter(self.root).kills(), 5)
        self.assertEqual(memory_limit_bytes(self.root), 256 * MEGABYTE)
        self.assertEqual(cpu_count(self.root), 1)

    def test_version_1_without_limit(self) -> None:
        self.put("memory/memory.limit_in_bytes", "9223372036854771712\n")
        self.assertIsNone(memory_limit_bytes(self.root))

    def test_an_empty_folder_tells_nothing(self) -> None:
        self.assertIsNone(KillCounter(self.root).kills())
        self.assertIsNone(memory_limit_bytes(self.root))


class Guard(Folder):
    LIMIT = 1024 * MEGABYTE

    def setUp(self) -> None:
        super().setUp()
        self.pids = [7]
        self.memory(used=200)
        self.process(7, resident=150, private=300)

    def memory(self, used: int, shared: int = 0) -> None:
        kilobytes = {"MemTotal": self.LIMIT >> 10, "MemFree": 1, "AnonPages": used << 10, "Mapped": 900_000, "Shmem": shared << 10}
        self.put("meminfo", "".join(f"{name}:{value:12d} kB\n" for name, value in kilobytes.items()))

    def process(self, pid: int, resident: int, private: int) -> None:
        self.put(f"{pid}/status", f"Name:\tpython3\nVmSize:\t9 kB\nVmRSS:\t{resident << 10} kB\nVmData:\t{private << 10} kB\nThreads:\t1\n")

    def guard(self) -> MemoryGuard:
        guard = MemoryGuard(lambda: self.pids, self.root)
        guard.begin()
        self.first_look_is_over = guard.is_over()
        return guard

    def test_the_limit_is_the_machine_that_gvisor_shows(self) -> None:
        self.assertEqual(self.guard().limit_bytes, self.LIMIT)

    def test_pages_that_are_told_of(self) -> None:
        guard = self.guard()
        self.assertFalse(guard.is_over())
        self.memory(used=(self.LIMIT - MARGIN_BYTES) // MEGABYTE + 1)
        self.assertTrue(guard.is_over())

    def test_growth_that_is_not_told_of_yet(self) -> None:
        guard = self.guard()
        self.process(7, resident=950, private=1100)
        self.assertTrue(guard.is_over())

    def test_files_that_are_not_told_of_yet(self) -> None:
        guard = self.guard()
        self.memory(used=200, shared=800)
        self.assertTrue(guard.is_over())

    def test_mapped_files_and_reserved_memory_are_free(self) -> None:
        guard = self.guard()
        self.process(7, resident=2000, private=310)
        self.assertFalse(guard.is_over())
        self.process(7, resident=160, private=5000)
        self.assertFalse(guard.is_over())

    def test_forks_share_their_pages(self) -> None:
        guard = self.guard()
        self.pids += range(8, 28)
        for pid in self.pids:
            self.process(pid, resident=155, private=305)
        self.assertFalse(guard.is_over())
        self.process(20, resident=900, private=1100)
        self.assertTrue(guard.is_over())
        self.assertEqual(guard.largest(), 20)

    def test_a_cell_that_begins_over_the_margin_may_still_tidy_up(self) -> None:
        start = (self.LIMIT - MARGIN_BYTES) // MEGABYTE + 4
        self.memory(used=start)
        guard = self.guard()
        self.assertFalse(guard.is_over())
        self.memory(used=start + ALLOWANCE_BYTES // MEGABYTE + 1)
        self.assertTrue(guard.is_over())

    def test_no_cell_may_take_what_gvisor_needs(self) -> None:
        self.memory(used=(self.LIMIT - OVERHEAD_BYTES) // MEGABYTE + 1)
        self.guard()
        self.assertTrue(self.first_look_is_over)

    def test_looks_more_often_the_nearer_the_limit_is(self) -> None:
        guard = self.guard()
        guard.is_over()
        far = guard.look_at
        self.memory(used=900)
        guard.is_over()
        self.assertLess(guard.look_at, far)

    def test_a_process_that_ends_meanwhile_counts_nothing(self) -> None:
        guard = self.guard()
        self.pids.append(99)
        self.assertFalse(guard.is_over())


if __name__ == "__main__":
    unittest.main()
