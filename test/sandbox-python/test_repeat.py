"""Cells that are run again: seeds and clocks."""

import time

from driver_client import DriverClient
from sandbox_case import SandboxCase

MOMENT_MS = 1_600_000_000_250
"""2020-09-13 12:26:40.250 UTC"""

DRAWS = """
import random, numpy as np, pandas as pd
print(random.random(), np.random.rand(), np.random.default_rng().random(), np.random.Generator(np.random.PCG64()).random())
print(np.random.RandomState().rand(), pd.Series(range(100)).sample(3).tolist(), random.sample(range(100), 3))
"""


class Seeds(SandboxCase):
    def test_the_same_seed_draws_the_same_numbers(self) -> None:
        first = self.driver.run(DRAWS, seed=5).stdout
        self.assertEqual(self.driver.run(DRAWS, seed=5).stdout, first)
        self.assertNotEqual(self.driver.run(DRAWS, seed=6).stdout, first)

    def test_numbers_go_on_where_the_last_cell_left_them(self) -> None:
        cells = [DRAWS, "print(np.random.default_rng().random(), random.random())"] * 2
        given = [self.driver.run(code, **({"seed": 7} if code == DRAWS else {})).stdout for code in cells]
        self.assertEqual(given[:2], given[2:])
        self.assertNotEqual(self.output_of(DRAWS), self.output_of(DRAWS))

    def test_generators_without_a_seed_differ_from_each_other(self) -> None:
        code = "import numpy as np\nprint(len({np.random.default_rng().random() for _ in range(50)}))"
        self.assertEqual(self.driver.run(code, seed=1).stdout, "50\n")

    def test_a_seed_of_its_own_stays_what_it_is(self) -> None:
        code = "import numpy as np\nprint(np.random.default_rng(42).integers(1000), np.random.RandomState(42).randint(1000))"
        self.assertEqual(self.driver.run(code, seed=1).stdout, "89 102\n")

    def test_a_look_at_a_file_between_two_cells_changes_nothing(self) -> None:
        self.driver.write("a.csv", b"a,b\n1,2\n3,4\n")
        card = '__import__("plotline").intake.show_card("a.csv")'
        given = []
        for between in (card, "None"):
            self.driver.run(DRAWS + "'kept'", seed=7)
            self.run_ok(between)
            given.append(self.run_ok(DRAWS + "print(_)").stdout)
        self.assertEqual(given[0], given[1])

    def test_in_a_fresh_container_sets_have_the_same_order_and_nothing_is_imported_for_clocks(self) -> None:
        code = "print(list({'apple', 'pear', 'plum', 'fig', 'kiwi', 'lime', 'date', 'nut'}))"
        with DriverClient() as fresh:
            self.assertEqual(fresh.run(code, seed=1).stdout, self.run_ok(code).stdout)
            self.assertEqual(fresh.run("import sys\nprint('time_machine' in sys.modules)").stdout, "False\n")


class Clocks(SandboxCase):
    def test_a_cell_sees_its_own_clock_everywhere(self) -> None:
        code = """
import datetime, time, pandas as pd
from datetime import date
for now in (datetime.datetime.now(), datetime.datetime.today(), pd.Timestamp.now(), pd.Timestamp("now"), pd.to_datetime("today")):
    print(now.strftime("%Y-%m-%d %H:%M"))
print(date.today(), time.strftime("%F"), datetime.datetime.now(datetime.UTC).date(), round(time.time()), time.time_ns() // 10**9)
"""
        outcome = self.driver.run(code, clockMs=MOMENT_MS)
        self.assertEqual(outcome.stdout, "2020-09-13 12:26\n" * 5 + "2020-09-13 2020-09-13 2020-09-13 1600000000 1600000000\n")

    def test_it_goes_on_and_is_gone_after_the_cell(self) -> None:
        code = "import time\nbefore = time.time()\ntime.sleep(0.05)\nprint(0.05 <= time.time() - before < 1, before)"
        self.assertRegex(self.driver.run(code, clockMs=MOMENT_MS).stdout, r"True 1600000000\.2\d*\n")
        self.assertLess(abs(float(self.output_of("import time\nprint(time.time())")) - time.time()), 60)
        self.driver.run("1/0", clockMs=MOMENT_MS)
        self.assertLess(abs(float(self.output_of("print(time.time())")) - time.time()), 60)

    def test_timeouts_keep_real_time(self) -> None:
        code = """
import asyncio, threading, time
begin = time.monotonic()
await asyncio.sleep(0.01)
print(threading.Event().wait(0.01), time.monotonic() - begin < 5, time.perf_counter() < 1e9, time.monotonic() < 1e9)
"""
        self.assertEqual(self.driver.run(code, clockMs=MOMENT_MS).stdout, "False True True True\n")

    def test_an_interrupt_leaves_the_real_clock(self) -> None:
        self.assertEqual(self.driver.run("import time\nwhile True: pass", clockMs=MOMENT_MS, timeout_ms=200).status, "timeout")
        self.assertLess(abs(float(self.output_of("import time\nprint(time.time())")) - time.time()), 60)


class SameContent(SandboxCase):
    """Files that differ only in when they were made."""

    def same(self, first: str, second: str) -> bool:
        code = f"import plotline.same_content\nplotline.same_content.show_same({first!r}, {second!r})\nprint({second!r} in __import__('os').listdir())"
        same, is_left = self.run_ok(code).stdout.split()
        self.assertEqual(is_left, "False")
        return same == "True"

    def make(self, code: str, *, value: int = 1, day: int = 0) -> None:
        outcome = self.driver.run(f"import pandas as pd, matplotlib.pyplot as plt\nvalue = {value}\n{code}", clockMs=MOMENT_MS + day * 86_400_000)
        self.assertEqual(outcome.status, "ok", outcome.error)

    def test_formats_that_write_their_date(self) -> None:
        for name, code in {
            "a.xlsx": "pd.DataFrame({'x': [value]}).to_excel('a.xlsx')",
            "a.csv.gz": "pd.DataFrame({'x': [value]}).to_csv('a.csv.gz')",
            "a.pdf": "plt.plot([1, value]); plt.savefig('a.pdf'); plt.close()",
        }.items():
            with self.subTest(name):
                for value, same in ((1, True), (2, False)):
                    self.make(f"{code}\n__import__('os').rename('{name}', 'first')", value=1)
                    self.make(code, value=value, day=3)
                    self.assertEqual(self.same(name, "first"), same)

    def test_what_is_no_such_format_is_not_the_same(self) -> None:
        self.run_ok("open('a', 'wb').write(b'PK\\x03\\x04 broken'); open('b', 'wb').write(b'PK\\x03\\x04 broken')")
        self.assertFalse(self.same("a", "b"))
        self.run_ok("open('b', 'wb').write(b'x')")
        self.assertFalse(self.same("nothing", "b"))


class BadRequests(SandboxCase):
    def test_a_value_out_of_range_ends_the_session(self) -> None:
        for bad in ({"seed": 1 << 32}, {"clockMs": "0"}):
            with self.subTest(bad), DriverClient() as driver:
                driver.start("1", **bad)
                with self.assertRaises(EOFError):
                    driver.receive()
