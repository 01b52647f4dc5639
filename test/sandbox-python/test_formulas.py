"""Cells of written CSV and Excel files that a spreadsheet program would run."""

from typing import Any

from sandbox_case import SandboxCase

RUN = [
    "=1+1", "=A1", "=cmd|' /C calc'!A0", "+SUM(A1)", "-2+3+cmd|' /C calc'!A0", "@SUM(1+9)*cmd|' /C calc'!A0", "\t=1+1", "\r=A1", "＝1+1", "==1", "= 1+1", '="a"', "=-5",
    '=HYPERLINK("http://x","y")', '- hyperlink("http://x")', "+A1", "-A1*2", "-A1-B2", "+1+1", "-10*A1", "+'Sheet 1'!A1", "='Sheet 1'!A1", "+СУММ(A1)", "@IMPORTXML(A1)", "=[1]x!A1", "-(A1)",
]  # fmt: skip
DATA = [
    "-5", "+3.2", "-1,234.50", "-12 %", "-", "+", "@", "=", "=====", "=> next", "- item", "-item", "- see note(s)", "-----", "+49 30 1234", "+49-30-1234", "+49 (0)30 1234567", "@name",
    "-2024-01-01", "-1 234,50 €", "-$1,234", "-1e5", "-X100 spare part", "-foo-bar", "'=1+1", "a=1", "5-3", "+/- 3", "-1/2", "@ 5pm", "-N/A", "- Apples (red)", "-5 kg", "+01:00", "C++", "@2x", "\ttext",
]  # fmt: skip


class Formulas(SandboxCase):
    def setUp(self) -> None:
        self.driver.run("import pandas as pd, csv, io, os, zipfile")

    def written(self, code: str, **limits: int) -> dict[str, Any]:
        return {file["path"]: file["formulas"] for file in self.run_ok(code, **limits).files}

    def test_what_would_run_is_told_from_data(self) -> None:
        for name, cells, count in (("run.csv", RUN, len(RUN)), ("data.csv", DATA, 0)):
            found = self.written(f"with open({name!r}, 'w', newline='') as f: csv.writer(f).writerows([c, 'x'] for c in {cells!r})")[name]
            self.assertEqual(0 if found is None else found["count"], count, found)
        # One by one, so that a miss and a false alarm cannot make up for each other.
        look = "from plotline.formulas import runs_from_csv\nprint([c for c in {!r} if runs_from_csv(c) is not {}])"
        self.assertEqual(self.output_of(look.format(RUN, True)), "[]")
        self.assertEqual(self.output_of(look.format(DATA, False)), "[]")

    def test_examples_name_cells(self) -> None:
        code = "pd.DataFrame({{'name': ['ok', '=cmd|x!A0', '=' + 'B' * 300 + '(1)'], 'v': [-5, -1.5, 2]}}).to_csv('e.csv', index=False, sep={!r}, encoding={!r})"
        for separator, encoding in ((",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16")):
            found = self.written(code.format(separator, encoding))["e.csv"]
            self.assertEqual((found["count"], found["partial"]), (2, False), separator)
            self.assertEqual(found["examples"][0], {"cell": "A3", "text": "=cmd|x!A0"})
            self.assertEqual(len(found["examples"][1]["text"]), 100)
        found = self.written("open('q.tsv', 'w').write('a\\tb\\n\"two\\nlines\"\\t1\\nx\\t\"\"\"=1\"\\ny\\t=1+1\\n')")["q.tsv"]
        self.assertEqual(found["examples"], [{"cell": "B4", "text": "=1+1"}])

    def test_workbooks_count_only_what_reaches_out(self) -> None:
        code = """
book = pd.DataFrame({{'a': ['=HYPERLINK("http://x","y")', 'ok', '=1+1', '=HYPERLINK("#Sheet1!A1","in")', "=cmd|'/C calc'!A0", '=[1]Other!A1', '=SUM(T[2024])', '=IF(A1="IMAGE(","a","b")'], 'b': range(8)}})
book.to_excel('o.xlsx', sheet_name='My Sheet', index=False, engine={!r})
"""
        for engine in ("openpyxl", "xlsxwriter"):
            found = self.written(code.format(engine))["o.xlsx"]
            self.assertEqual(found["count"], 3, found)
            self.assertEqual([example["cell"] for example in found["examples"]], ["'My Sheet'!A2", "'My Sheet'!A6", "'My Sheet'!A7"])
        plain = self.written("import openpyxl\nw = openpyxl.Workbook(); w.active.append([1, '=SUM(A1)']); w.active['C1'] = '=text'; w.active['C1'].data_type = 's'; w.save('p.xlsx')")
        self.assertEqual(plain, {"p.xlsx": None})

    def test_other_files_and_what_is_no_table(self) -> None:
        self.assertEqual(self.written("open('n.txt', 'w').write('=1+1'); open('j.xlsx', 'wb').write(b'PK\\x03\\x04=1+1'); open('e.csv', 'w').close()"), {"n.txt": None, "j.xlsx": None, "e.csv": None})

    def test_bombs_and_large_files_stop_in_time(self) -> None:
        bomb = "z = zipfile.ZipFile('bomb.xlsx', 'w', zipfile.ZIP_DEFLATED); z.writestr('xl/worksheets/sheet1.xml', b'<worksheet><f>' + b'A' * 200_000_000); z.close()"
        found = self.run_ok(bomb)
        self.assertEqual(found.files[0]["formulas"], {"count": 0, "examples": [], "partial": True})
        outcome = self.run_ok("open('slow.csv', 'w').write('- item,@x\\n' * 4_000_000)")
        self.assertTrue(outcome.files[0]["formulas"]["partial"])
        self.assertLess(outcome.duration_ms, 5000)
        self.assertLess(outcome.seconds, 10)
        self.run_ok("os.remove('slow.csv'); os.remove('bomb.xlsx')")
        self.assert_alive()

    def test_only_suspects_cost_a_process(self) -> None:
        self.run_ok("import subprocess\ndef next_pid():\n    process = subprocess.Popen(['true']); process.wait(); return process.pid")
        before = int(self.output_of("print(next_pid())"))
        for name, text, processes in (("m.txt", "=1+1", 0), ("p.csv", "a,b\\n-5,+49 30 1234\\n", 1), ("q.csv", "a,b\\n-5,1.5\\n", 0), ("r.csv", "a\\n=1+1\\n", 1)):
            self.run_ok(f"open({name!r}, 'w').write('{text}')")
            after = int(self.output_of("print(next_pid())"))
            self.assertEqual(after - before - 1, processes, name)
            before = after

    def test_a_kernel_cannot_hide_them(self) -> None:
        hide = "import plotline.formulas as f, os, json\nf.runs_from_csv = lambda cell: False; f.look_at = None; json.dumps = lambda *a, **k: 'null'\nopen('h.csv', 'w').write('a\\n=1+1\\n')"
        self.assertEqual(self.written(hide)["h.csv"]["count"], 1)
        self.driver.run("import os; os._exit(0)")

    def test_tables_that_are_shown_say_it_too(self) -> None:
        mime = "application/vnd.plotline.formulas+json"
        shown = self.only_result("import pandas as pd\npd.DataFrame({'a': ['=1+1', 'x'], 'b': [-1, -2]})")
        self.assertEqual(shown[mime], {"count": 1, "examples": [{"cell": "A2", "text": "=1+1"}], "partial": False})
        self.assertNotIn(mime, self.only_result("pd.DataFrame({'a': [-1]})"))
