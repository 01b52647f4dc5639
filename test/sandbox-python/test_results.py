"""What cells display: figures, tables, pages, pictures."""

import csv
import io
import struct
import zlib

from sandbox_case import SandboxCase

CHART = "application/vnd.plotline.chart+json"
TABLE = "application/vnd.plotline.table+json"


def png_size(data: bytes) -> tuple[int, int]:
    return struct.unpack(">II", data[16:24])


def is_blank(data: bytes) -> bool:
    """A PNG whose pixels are (nearly) all the same compresses to almost nothing."""
    packed, place = b"", 8
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        packed += data[place + 8 : place + 8 + size] if kind == b"IDAT" else b""
        place += 12 + size
    return len(packed) < len(zlib.decompress(packed)) / 2000


class Figures(SandboxCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.driver.run("import matplotlib.pyplot as plt, pandas as pd, numpy as np")

    def test_a_figure_comes_once_with_its_words_and_data(self) -> None:
        draw = "fig, ax = plt.subplots(); ax.plot([2019, 2020, 2021], [1e6, 2.5e6, 2e6], label='Berlin'); ax.set(title='Revenue', xlabel='Year', ylabel='EUR')\n"
        for ending in ("", "plt.show()", "plt.show()\nfig", "fig", "display(fig)\nplt.show()", "fig.show()", "plt.savefig('c.png')\nplt.show()", "import matplotlib; matplotlib.use('Agg')\nplt.show()"):
            result = self.only_result(draw + ending)
            self.assertEqual(png_size(result["image/png"]), (1152, 648), ending)
            self.assertFalse(is_blank(result["image/png"]))
            chart = result[CHART]
            self.assertEqual((chart["type"], chart["title"], chart["xLabel"], chart["yLabel"]), ("line", "Revenue", "Year", "EUR"))
            self.assertEqual(chart["series"], [{"name": "Berlin", "x": [2019, 2020, 2021], "y": [1000000, 2500000, 2000000]}])
            words = result["text/plain"]
            for part in ("Line chart: Revenue", "1 million (2019)", "2.5 million (2020)", "up 100%"):
                self.assertIn(part, words)
            self.assertEqual(self.output_of("print(plt.get_fignums())"), "[]")

    def test_two_figures_are_two_and_empty_ones_none(self) -> None:
        self.assertEqual(len(self.run_ok("for i in (1, 2):\n    plt.figure(); plt.plot([0, i])").results), 2)
        self.assertEqual(self.run_ok("plt.figure(); plt.subplots(); None").results, [])

    def test_handles_are_not_shown(self) -> None:
        for code in ("plt.plot([1, 2])", "plt.hist([1, 2, 2])", "plt.bar(['a'], [1])", "pd.Series([1, 2]).plot()", "plt.subplots()[1].set_title('x')"):
            results = self.run_ok(code).results
            self.assertLessEqual(len(results), 1, code)
            self.assertTrue(all("image/png" in result for result in results), code)

    def test_a_saved_and_closed_figure_is_described(self) -> None:
        outcome = self.run_ok("plt.plot([1, 2]); plt.title('T'); plt.savefig('t.png'); plt.close()")
        self.assertEqual([file["path"] for file in outcome.files], ["t.png"])
        self.assertEqual(outcome.results[0]["application/vnd.plotline.saved+json"], {"files": ["t.png"]})
        self.assertNotIn("image/png", outcome.results[0])

    def test_a_figure_that_cannot_be_drawn_is_an_error_once(self) -> None:
        outcome = self.driver.run("plt.plot([1]); plt.title('$\\\\frac{$')")
        self.assertEqual(outcome.status, "error")
        self.assertNotIn("plotline", outcome.error["traceback"])
        self.assertEqual(self.run_ok("1").results[0]["text/plain"], "1")

    def test_kinds_are_read_back(self) -> None:
        frame = "pd.DataFrame({'v': [3, 1, 2]}, index=['a', 'b', 'c'])"
        for code, kind, x, y in (
            ("plt.bar(['a', 'b'], [3, 4])", "bar", ["a", "b"], [3, 4]),
            ("plt.barh(['a', 'b'], [3, 4])", "bar", ["a", "b"], [3, 4]),
            (f"{frame}.plot.bar()", "bar", ["a", "b", "c"], [3, 1, 2]),
            ("plt.pie([1, 3], labels=['x', 'y'])", "pie", ["x", "y"], [1, 3]),
            ("plt.scatter([1, 2], [3, 4])", "scatter", [1, 2], [3, 4]),
            ("plt.plot(pd.to_datetime(['2024-01-01', '2024-02-01']), [1, 2])", "line", ["2024-01-01", "2024-02-01"], [1, 2]),
            ("pd.Series([1, 2], index=pd.period_range('2024-01', periods=2, freq='M')).plot()", "line", ["2024-01-01", "2024-02-01"], [1, 2]),
            ("plt.imshow([[1, 2], [3, 4]])", "heatmap", [0, 1], [1, 2]),
            ("plt.boxplot([[1, 2, 3, 4, 5]], tick_labels=['g'])", "box", None, [1, 2, 3, 4, 5]),
            ("plt.stackplot([1, 2], [1, 2], [3, 4], labels=['p', 'q'])", "line", [1, 2], [1, 2]),
        ):
            chart = self.only_result(code)[CHART]
            self.assertEqual(chart["type"], kind, code)
            series = chart["series"][0]
            self.assertEqual(series["y"], y, code)
            if x is not None:
                self.assertEqual(series["x"], x, code)

    def test_series_of_the_usual_ways_to_draw(self) -> None:
        self.run_ok("import seaborn as sns, plotly.express as px, altair as alt\ndf = pd.DataFrame({'g': ['a', 'b', 'a', 'b', 'c', 'c'], 'h': ['x', 'x', 'y', 'y', 'x', 'y'], 'v': [1, 2, 3, 4, 5, 9.0], 'w': [2, 1, 4, 3, 6, 5.0]})")
        for code, kind, names, first in (
            ("plt.hist([1, 2, 2, 3], bins=2)", "histogram", [""], (["1 to 2", "2 to 3"], [1, 3])),
            ("plt.hist([[1, 2], [2, 2]], bins=2, range=(0, 4), label=['p', 'q'], stacked=True)", "histogram", ["p", "q"], (["0 to 2", "2 to 4"], [1, 1])),
            ("plt.hist([1, 2]); plt.cla(); plt.plot([1, 2], [3, 4])", "line", [""], ([1, 2], [3, 4])),
            ("plt.stem([1, 2], [3, 4])", "scatter", [""], ([1, 2], [3, 4])),
            ("df.plot.area(y=['v', 'w'])", "line", ["v", "w"], (None, [1, 2, 3, 4, 5, 9])),
            ("df[['w', 'v']].plot.area()", "line", ["w", "v"], (None, [2, 1, 4, 3, 6, 5])),
            ("df.set_index('g').v.plot.pie()", "pie", [""], (["a", "b", "a", "b", "c", "c"], [1, 2, 3, 4, 5, 9])),
            ("df.boxplot('v', by='g')", "box", ["a", "b", "c"], (None, [1, 1.5, 2, 2.5, 3])),
            ("sns.lineplot(df, x='v', y='w', hue='h')", "line", ["x", "y"], ([1, 2, 5], [2, 1, 6])),
            ("sns.scatterplot(df, x='v', y='w', hue='h')", "scatter", ["x", "y"], ([1, 2, 5], [2, 1, 6])),
            ("sns.barplot(df, x='g', y='v', hue='h', errorbar=None)", "bar", ["x", "y"], (["a", "b", "c"], [1, 2, 5])),
            ("sns.pointplot(df, x='g', y='v')", "line", [""], (["a", "b", "c"], [2, 3, 7])),
            ("sns.boxplot(df, y='g', x='v')", "box", ["a", "b", "c"], (None, [1, 1.5, 2, 2.5, 3])),
            ("sns.histplot(df, x='v', bins=4)", "histogram", [""], (["1 to 3", "3 to 5", "5 to 7", "7 to 9"], [2, 2, 1, 1])),
            ("px.histogram(df, x='g', y='v')", "bar", [""], (["a", "b", "c"], [4, 6, 14])),
            ("px.box(df, x='g', y='v')", "box", ["a", "b", "c"], (None, [1, 1.5, 2, 2.5, 3])),
            ("alt.Chart(df).mark_bar().encode(x=alt.X('v', bin=True), y='count()')", "histogram", [""], (None, [1, 1, 1, 1, 1, 0, 0, 1])),
            ("alt.Chart(df).mark_boxplot().encode(x='g', y='v')", "box", ["a", "b", "c"], (None, [1, 1.5, 2, 2.5, 3])),
        ):
            chart = next(result[CHART] for result in self.run_ok(code).results if CHART in result)
            self.assertEqual((chart["type"], [series["name"] for series in chart["series"]]), (kind, names), code)
            series = chart["series"][0]
            self.assertEqual(series["y"], first[1], code)
            if first[0] is not None:
                self.assertEqual(series["x"], first[0], code)

    def test_units_and_scales_are_read(self) -> None:
        for code, scales, units in (
            ("plt.plot([1, 2], [3, 4]); plt.xlabel('Weight, kg'); plt.ylabel('Revenue (EUR)')", ("linear", "linear"), ("kg", "EUR")),
            ("plt.plot(pd.date_range('2024', periods=3), [1, 10, 100]); plt.yscale('log'); plt.ylabel('Temp [°C]')", ("date", "log"), (None, "°C")),
            ("plt.barh(['a', 'b'], [1, 2]); plt.xlabel('Share in %'); plt.ylabel('Sales in Berlin')", ("linear", "category"), ("%", None)),
            ("plt.bar(['a', 'b'], [1, 2]); plt.gca().yaxis.set_major_formatter('{x:,.0f} €'); plt.xlabel('Year')", ("category", "linear"), (None, "€")),
            ("plt.bar(['a', 'b'], [1000, 2000]); plt.gca().yaxis.set_major_formatter(lambda v, _: f'${v:,.0f}')", ("category", "linear"), (None, "$")),
            ("import matplotlib.ticker as t; plt.scatter([1, 2], [.1, .2]); plt.gca().yaxis.set_major_formatter(t.PercentFormatter(1))", ("linear", "linear"), (None, "%")),
            ("plt.plot([1, 2]); plt.yscale('symlog'); plt.ylabel('Rent (North)')", ("linear", "other"), (None, None)),
            ("plt.pie([1, 2], labels=['a', 'b'])", ("category", "linear"), (None, None)),
            ("plt.boxplot([[1, 2, 3]])", ("category", "linear"), (None, None)),
        ):
            chart = self.only_result(code)[CHART]
            self.assertEqual((chart["xScale"], chart["yScale"]), scales, code)
            self.assertEqual((chart["xUnit"], chart["yUnit"]), units, code)

    def test_a_direction_is_said_only_where_it_holds(self) -> None:
        def words(values: str) -> str:
            return str(self.only_result(f"plt.plot({values})")["text/plain"])

        self.assertIn("rising throughout", words("[1, 2, 3, 4, 5, 6]"))
        self.assertIn("falling throughout", words("[6, 5, 4, 3, 2, 1]"))
        for values in ("[*range(40), 38.5]", "[1, 2, 2, 3, 4, 5]"):
            self.assertIn("rising overall", words(values))
            self.assertNotIn("throughout", words(values))

    def test_grouped_bars_name_their_categories(self) -> None:
        draw = "pd.DataFrame({{'p': range(1, {0} + 1), 'q': range({0}, 0, -1)}}, index=range(1990, 1990 + {0})).plot.bar()"
        for count in (3, 12, 40):
            result = self.only_result(draw.format(count))
            for series in result[CHART]["series"]:
                self.assertEqual(series["x"], [str(year) for year in range(1990, 1990 + count)])
            self.assertIn(f"{1990 + count - 1} ", result["text/plain"])
        manual = "x = np.arange(10)\nfor k in (0, 1): plt.bar(x + 0.4 * k - 0.2, x + k, 0.4)\nplt.xticks(x, [str(2010 + n) for n in x])"
        self.assertIn("highest 2019 with 10", self.only_result(manual)["text/plain"])

    def test_a_megabyte_as_a_category_is_drawn_short(self) -> None:
        result = self.only_result("plt.barh(['short', 'x' * 1_000_000], [1, 2])")
        self.assertEqual(png_size(result["image/png"]), (1152, 648))
        self.assertIn("short 1, xxx", result["text/plain"])

    def test_dollars_are_money(self) -> None:
        draw = "fig, ax = plt.subplots(); ax.plot([1, 2]); ax.set_xlabel({!r}); fig.canvas.draw()\n"
        look = "from plotline.charts.finish import finish\nfinish(fig); print(ax.xaxis.label.get_parse_math()); plt.close(fig)"
        for title, formula in (("Price ($) by cost ($)", False), ("$5 to $10", False), ("$R^2$ of cost ($)", True), ("$x$", True)):
            self.assertEqual(self.output_of(draw.format(title) + look), str(formula), title)

    def test_a_histogram_is_told_from_bars(self) -> None:
        result = self.only_result("plt.hist(np.arange(100), bins=4)")
        self.assertEqual(result[CHART]["type"], "histogram")
        self.assertEqual(result[CHART]["series"][0]["y"], [25, 25, 25, 25])
        self.assertIn("4 bins", result["text/plain"])

    def test_large_charts_are_capped(self) -> None:
        result = self.only_result("plt.plot(np.random.rand(1000, 30)); plt.title('t' * 800, fontsize=1)")
        self.assertEqual(len(result[CHART]["series"]), 12)
        self.assertEqual(len(result[CHART]["series"][0]["x"]), 200)
        self.assertLessEqual(len(result["text/plain"]), 1000)
        size = png_size(self.only_result("plt.figure(figsize=(200, 100)); plt.plot([1, 2])")["image/png"])
        self.assertLessEqual(max(size), 4000)

    def test_every_script_has_glyphs(self) -> None:
        for code in ("plt.plot([1, 2]); plt.title('売上 销售 매출 الإيرادات राजस्व הכנסות รายได้ Выручка ☃ 📈')", "import seaborn as sns; sns.set_theme(); plt.bar(['東京'], [1])"):
            self.assertEqual(self.run_ok(code).stderr, "", code)
        self.run_ok("plt.rcdefaults()")


    def test_right_to_left_labels_are_joined_and_ordered(self) -> None:
        look = "from plotline.charts.scripts import visual_order as v; print([hex(ord(c)) for c in v('جدة')], v('שלום') == 'םולש', v('a (ש) 12'))"
        self.assertEqual(self.output_of(look), "['0xfe93', '0xfeaa', '0xfe9f'] True a (ש) 12")
        chart = self.only_result("plt.bar(['جدة', 'שלום'], [1, 2]); plt.title('المدينة')")
        self.assertEqual((chart[CHART]["title"], chart[CHART]["series"][0]["x"]), ("المدينة", ["جدة", "שלום"]))
        self.assertIn("جدة 1", chart["text/plain"])
        # What the cell has put into order itself is not turned around again.
        twice = "from bidi.algorithm import get_display\nfig, ax = plt.subplots(); ax.plot([1, 2]); t = ax.set_title(get_display('שלום')); print(t._preprocess_math(t.get_text())[0] == 'םולש'); plt.close(fig)"
        self.assertEqual(self.output_of(twice), "True")

    def test_syllables_are_shaped(self) -> None:
        # The vowel sign of कि stands before its consonant: as wide as in Pillow, not as the glyphs one by one.
        look = """
fig = plt.figure(); r = fig.canvas.get_renderer()
from matplotlib.font_manager import FontProperties
from plotline.charts.style import fonts_for_all_scripts
p = FontProperties(family=fonts_for_all_scripts(), size=20)
shaped = r.get_text_width_height_descent('क्षत्रिय (EUR)', p, False)[0]
single = sum(r.get_text_width_height_descent(c, p, False)[0] for c in 'क्षत्रिय (EUR)')
print(shaped < 0.9 * single); plt.close(fig)
"""
        self.assertEqual(self.output_of(look), "True")
        for text in ("दिल्ली", "বাংলা", "தமிழ்", "ที่นี่", "မြန်မာ", "ភាសាខ្មែរ"):
            outcome = self.run_ok(f"plt.bar([{text!r}], [1]); plt.ylabel({text!r}); plt.title({text!r} + ' 2024')")
            self.assertEqual((outcome.stderr, len(outcome.results)), ("", 1), text)


class Tables(SandboxCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.driver.run("import pandas as pd, numpy as np")

    def test_a_table_as_data_text_html_and_csv(self) -> None:
        code = "pd.DataFrame({'n': [1, 2], 'f': [1.5, np.nan], 't': ['a,\"b', None], 'd': pd.to_datetime(['2024-01-01', None]), 'b': [True, False], 'i': [np.inf, 2.0], 'o': [[1], 's']})"
        result = self.only_result(code)
        table = result[TABLE]
        self.assertEqual([column["type"] for column in table["columns"]], ["number", "number", "text", "date", "boolean", "number", "other"])
        self.assertEqual(table["rows"], [[1, 1.5, 'a,"b', "2024-01-01", True, None, "[1]"], [2, None, None, None, False, 2, "s"]])
        self.assertEqual(table["rowCount"], 2)
        self.assertEqual(next(csv.reader(io.StringIO(result["text/csv"]))), ["n", "f", "t", "d", "b", "i", "o"])
        self.assertIn("\r\n", result["text/csv"])
        self.assertIn("<table", result["text/html"])
        self.assertIn("n", result["text/plain"])

    def test_the_index_counts_only_where_it_means_something(self) -> None:
        names = lambda code: [column["name"] for column in self.only_result(code)[TABLE]["columns"]]  # noqa: E731
        self.run_ok("df = pd.DataFrame({'g': ['a', 'b', 'a'], 'v': [1, 2, 3]})")
        self.assertEqual(names("df.sort_values('v', ascending=False)"), ["g", "v"])
        self.assertEqual(names("df.groupby('g').sum()"), ["g", "v"])
        self.assertEqual(names("df.groupby('g').v.agg(['sum', 'mean'])"), ["g", "sum", "mean"])
        self.assertEqual(names("df.groupby('g').agg({'v': ['sum', 'mean']})"), ["g", "v / sum", "v / mean"])
        self.assertEqual(names("df.describe()"), ["index", "v"])
        self.assertEqual(names("df.v"), ["v"])
        self.assertEqual(names("df.g.value_counts()"), ["g", "count"])

    def test_odd_tables(self) -> None:
        for code in (
            "pd.DataFrame()",
            "pd.DataFrame({'a': []})",
            "pd.DataFrame([[1, 2]], columns=['x', 'x'])",
            "pd.DataFrame({'p': pd.period_range('2024', periods=2, freq='Y'), 't': pd.to_timedelta([1, 2], 's'), 'c': pd.Categorical(['a', None]), 'z': pd.to_datetime(['2024-01-01T10:00Z', None])})",
            "pd.DataFrame({'big': [2**70, 1], 'np': [np.int64(1), np.float32(2)], 'na': [pd.NA, 1], 'bytes': [b'x', b'\\xff']})",
            "pd.DataFrame({'s': ['\\ud800']})",
            "pd.DataFrame({('a', ''): [1], ('b', 'c'): [2]})",
            "pd.Series([1, 2], index=pd.MultiIndex.from_tuples([('a', 1), ('b', 2)]))",
            "pd.DataFrame({'c': [1+2j]})",
            "pd.DataFrame(np.zeros((3, 500)))",
        ):
            result = self.only_result(code)
            self.assertIn(TABLE, result, code)

    def test_a_long_table_shows_a_hundred_rows_and_is_whole_as_csv(self) -> None:
        result = self.only_result("pd.DataFrame({'a': range(5000)})")
        self.assertEqual((len(result[TABLE]["rows"]), result[TABLE]["rowCount"]), (100, 5000))
        self.assertEqual(len(result["text/csv"].splitlines()), 5001)

    def test_a_csv_over_the_cap_is_left_out_and_said(self) -> None:
        outcome = self.run_ok("pd.DataFrame(np.random.rand(200_000, 10))")
        self.assertNotIn("text/csv", outcome.results[0])
        self.assertTrue(outcome.truncated)
        self.assertIn("8 MB", outcome.stderr)
        self.assertEqual(outcome.results[0][TABLE]["rowCount"], 200_000)
        self.assertLess(outcome.seconds, 3)


class Others(SandboxCase):
    def test_show_marks_and_passes_on(self) -> None:
        result = self.only_result("import plotline, pandas as pd\nplotline.show(pd.DataFrame({'a': [1]}), title='One', alt='A table')")
        self.assertEqual(result["application/vnd.plotline.show+json"], {"title": "One", "alt": "A table"})
        self.assertEqual(result[TABLE]["rowCount"], 1)
        result = self.only_result("import matplotlib.pyplot as plt\nfig, ax = plt.subplots(); ax.plot([1, 2])\nplotline.show(fig, title='Two')")
        self.assertIn("image/png", result)
        self.assertEqual(result["application/vnd.plotline.show+json"]["title"], "Two")

    def test_pillow_markdown_latex_json(self) -> None:
        self.assertEqual(png_size(self.only_result("from PIL import Image; Image.new('CMYK', (30, 20))")["image/png"]), (30, 20))
        self.assertEqual(max(png_size(self.only_result("Image.new('L', (9000, 10))")["image/png"])), 4000)
        self.assertEqual(self.only_result("from IPython.display import *; Markdown('# hi')")["text/markdown"], "# hi")
        self.assertEqual(self.only_result("JSON({'a': float('nan'), 'b': [1]})")["application/json"], {"a": None, "b": [1]})
        self.assertIn("svg", self.only_result("SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')")["image/svg+xml"])
        self.assertNotIn("application/javascript", self.only_result("Javascript('alert(1)')"))

    def test_plotly_is_a_page_that_needs_nothing(self) -> None:
        for ending in ("fig", "fig.show()"):
            result = self.only_result(f"import plotly.graph_objects as go\nfig = go.Figure(go.Bar(x=['a', 'b'], y=[1, 3]), layout={{'title': 'Bars'}})\n{ending}")
            page = result["text/html"]
            self.assertIn("Plotly.newPlot", page)
            self.assertIn("plotly.js v", page)
            self.assertNotIn('src="http', page)
            self.assertEqual(result[CHART]["series"][0], {"name": "", "x": ["a", "b"], "y": [1, 3]})
            self.assertIn("Bar chart: Bars. a 1, b 3.", result["text/plain"])
            self.assertFalse(is_blank(result["image/png"]))

    def test_altair_is_read_and_drawn(self) -> None:
        code = "import altair as alt, pandas as pd\nd = pd.DataFrame({'k': ['a', 'a', 'b'], 'v': [1, 2, 5]})\nalt.Chart(d, title='Sums').mark_bar().encode(x='k', y='sum(v)')"
        result = self.only_result(code)
        self.assertEqual(result[CHART]["series"], [{"name": "", "x": ["a", "b"], "y": [3, 5]}])
        self.assertFalse(is_blank(result["image/png"]))
        if self.output_of("import os; print(os.path.isdir('/opt/plotline/vega'))") == "True":
            self.assertIn("vegaEmbed(", result["text/html"])
            self.assertNotIn('src="http', result["text/html"])

    def test_displays_that_fail_do_not_break_the_cell(self) -> None:
        outcome = self.run_ok("class Odd:\n    def _repr_html_(self): raise ValueError('no')\n    def __repr__(self): return 'odd'\nOdd()")
        self.assertEqual(outcome.results[0]["text/plain"], "odd")
