"""Cells as in a notebook: state, output, errors."""

import time

from sandbox_case import SandboxCase


class Cells(SandboxCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.driver.run("import os, sys, time")

    def test_ready_says_the_protocol(self) -> None:
        self.assertEqual(self.driver.hello["protocol"], 1)
        self.assertRegex(self.driver.hello["python"], r"^3\.\d+")

    def test_state_lives_from_cell_to_cell(self) -> None:
        self.run_ok("x = 20\ndef double(n): return 2 * n")
        self.assertEqual(self.only_result("double(x) + 2")["text/plain"], "42")
        self.assertEqual(self.only_result("_")["text/plain"], "42")

    def test_it_is_main_in_the_working_directory(self) -> None:
        self.assertEqual(self.output_of("print(__name__, os.getcwd(), sys.path[0] == '')"), "__main__ /mnt/data True")

    def test_await_shell_commands_and_magics_work(self) -> None:
        self.assertEqual(self.only_result("import asyncio\nawait asyncio.sleep(0.001)\n'slept'")["text/plain"], "'slept'")
        self.assertEqual(self.run_ok("name = 'you'\n!echo hello {name}").stdout, "hello you\n")
        self.assertEqual(self.only_result("files = !echo a b\nfiles[0].split()")["text/plain"], "['a', 'b']")
        self.run_ok("%matplotlib inline\n%time 1")

    def test_streams_keep_their_order_and_come_from_c_too(self) -> None:
        outcome = self.run_ok("import ctypes, os, sys\nprint('one')\nos.write(1, b'two\\n')\nctypes.CDLL(None).puts(b'three')\nprint('err', file=sys.stderr)")
        self.assertEqual(outcome.stdout, "one\ntwo\nthree\n")
        self.assertEqual(outcome.stderr, "err\n")

    def test_output_is_always_valid_text(self) -> None:
        outcome = self.run_ok("import sys\nsys.stdout.buffer.write(b'a\\xff\\xe2\\x82')\nsys.stdout.flush()\nprint('\\ud800é')")
        self.assertEqual(outcome.stdout, "a\ufffd\ufffd\\ud800é\n")

    def test_characters_are_never_cut(self) -> None:
        self.assertEqual(self.run_ok("import time\nfor b in '€🎉'.encode():\n    os.write(1, bytes([b])); time.sleep(0.04)").stdout, "€🎉")

    def test_output_comes_while_the_cell_runs(self) -> None:
        request = self.driver.start("print('early'); import time; time.sleep(0.5); print('late')")
        header, payload = self.driver.receive()
        self.assertEqual((header["type"], payload), ("output", b"early\n"))
        self.assertEqual(self.driver.collect(request).stdout, "late\n")

    def test_errors_are_data_without_our_frames(self) -> None:
        error = self.driver.run("def f():\n    return 1 / 0\nf()").error
        self.assertEqual((error["name"], error["message"]), ("ZeroDivisionError", "division by zero"))
        self.assertIn("line 2, in f", error["traceback"])
        self.assertNotIn("plotline", error["traceback"])
        self.assertNotIn("IPython", error["traceback"])
        self.assertNotIn("\x1b", error["traceback"])

    def test_syntax_errors_show_the_place(self) -> None:
        error = self.driver.run("x = (1,\ny = = 2").error
        self.assertEqual(error["name"], "SyntaxError")
        self.assertIn("^", error["traceback"])

    def test_a_wrong_column_gets_the_right_names(self) -> None:
        self.run_ok("import pandas as pd\ndf = pd.DataFrame({'Revenue (EUR)': [1], 'Region': ['N']})")
        for code in ("df['revenue']", "df.groupby('region').sum()", "df.sort_values('Regoin')", "df[['Region', 'Revenue']]"):
            error = self.driver.run(code).error
            self.assertEqual(error["name"], "KeyError", code)
            self.assertIn("'Revenue (EUR)', 'Region'", error["traceback"], code)
            self.assertIn("closest: 'Re", error["traceback"], code)

    def test_a_wrong_file_gets_the_right_names(self) -> None:
        self.driver.write("sales 2024.csv", b"a,b\n1,2\n")
        error = self.driver.run("pd.read_csv('sales2024.csv')").error
        self.assertEqual(error["name"], "FileNotFoundError")
        self.assertIn("closest: 'sales 2024.csv'", error["traceback"])
        self.run_ok("os.remove('sales 2024.csv')")

    def test_exceptions_that_misbehave(self) -> None:
        outcome = self.driver.run("class Bad(Exception):\n    def __str__(self): raise ValueError('no')\nraise Bad()")
        self.assertEqual((outcome.status, outcome.error["name"]), ("error", "Bad"))
        self.assertEqual(self.driver.run("raise KeyError('\\ud800' * 3)").error["name"], "KeyError")
        self.assertEqual(self.driver.run("raise ExceptionGroup('g', [ValueError('inner one')])").error["name"], "ExceptionGroup")
        self.assertLess(len(self.driver.run("def r(): r()\nr()").error["traceback"]), 40_000)
        self.assertLess(len(self.driver.run("raise ValueError('x' * 10_000_000)").error["message"]), 20_000)
        self.assert_alive()

    def test_input_says_what_to_do(self) -> None:
        self.assertIn("Put the value into the code", self.driver.run("input('name? ')").error["message"])

    def test_exit_stops_the_cell_but_not_the_session(self) -> None:
        self.run_ok("y = 1\nimport sys\nsys.exit()\ny = 2")
        outcome = self.driver.run("sys.exit('no data')")
        self.assertEqual((outcome.status, outcome.error["name"], outcome.stderr), ("error", "SystemExit", ""))
        self.run_ok("exit()")
        self.assertEqual(self.output_of("print(y)"), "1")

    def test_the_environment_is_clean(self) -> None:
        code = "import os; print(sorted(os.environ)); print(open('/proc/self/environ').read()); print(open('/proc/self/cmdline').read())"
        text = self.output_of(code)
        self.assertNotIn("canary", text)
        self.assertNotIn("HOSTNAME", text)

    def test_one_plus_one_is_fast(self) -> None:
        self.assertLess(min(self.driver.run("1 + 1").seconds for _ in range(20)), 0.02)


class Beginning(SandboxCase):
    def test_a_fresh_kernel_has_no_past(self) -> None:
        time.sleep(0.3)
        names = "sorted(name for name in dir() if not name.startswith('_'))"
        outcome = self.run_ok(f"print({names}, get_ipython().execution_count, repr(_), __import__('matplotlib').pyplot.get_fignums())\n1/1")
        self.assertRegex(outcome.stdout, r"^\['In', 'Out', 'exit', 'get_ipython', 'open', 'quit'\] 1 '' \[\]$")
        self.assertEqual([list(result) for result in outcome.results], [["text/plain"]])
