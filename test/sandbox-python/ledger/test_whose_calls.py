"""Which calls count, and which source a step is of."""

import unittest

import pandas as pd

from plotline.ledger import BOOK
from plotline.ledger.book import STEPS_LIMIT
from ledger_case import LedgerCase


class WhoseCalls(LedgerCase):
    def setUp(self) -> None:
        super().setUp()
        self.write("orders.csv", "id,amount,who\n" + "".join(f"{index},{index * 3},c{index % 7}\n" for index in range(40)) + "40,1,c1,9,9\n")
        self.write("people.csv", "who,name\n" + "".join(f"c{index},Name {index}\n" for index in range(5)))
        self.cell("import plotline\norders = plotline.load(directory / 'orders.csv')")

    def test_what_libraries_do_by_themselves_does_not_count(self) -> None:
        quiet = [
            "orders.pivot_table(index='who', values='amount')",
            "orders.describe()",
            "orders.sort_values('amount').head(3).to_html()",
            "orders.groupby('who').apply(lambda part: part[part.amount > 50], include_groups=False)",
            "plotline.tables(directory / 'people.csv')",
            "pd.crosstab(orders.who, orders.amount > 9)",
            "orders.plot.bar(x='id', y='amount')",
        ]
        for code in quiet:
            with self.subTest(code=code):
                steps = self.cell(code)["steps"]
                self.assertEqual([step["op"] for step in steps], ["groupby"] if "groupby" in code else [])

    def test_helpers_of_the_cell_count(self) -> None:
        steps = self.cell("def clean(table):\n    return table[table.amount > 9]\nfew = orders.pipe(clean)")["steps"]
        self.assertEqual([(step["op"], step["before"], step["after"]) for step in steps], [("filter", 40, 36)])

    def test_the_same_step_counts_once(self) -> None:
        page = self.cell("for _ in range(5):\n    orders[orders.amount > 9]\n    orders.groupby('who').size()\n    orders.drop_duplicates('who')")
        self.assertEqual([step["op"] for step in page["steps"]], ["filter", "groupby", "dedupe"])

    def test_a_page_is_bounded(self) -> None:
        page = self.cell("for last in range(400):\n    orders[orders.amount > 500 - last].iloc[:0]\n    pd.DataFrame({'a': range(last + 1)}).query('a < 0')")
        self.assertEqual(len(page["steps"]), STEPS_LIMIT)
        self.assertGreater(page["more"], 300)

    def test_tables_made_from_a_loaded_one_are_of_its_source(self) -> None:
        for code in [
            "orders.assign(double=orders.amount * 2).dropna()",
            "orders.rename(columns={'amount': 'sum'}).drop_duplicates()",
            "orders.sort_values('amount').reset_index(drop=True).query('amount > 3')",
            "orders[orders.amount > 9].copy().dropna()",
            "orders.merge(plotline.load(directory / 'people.csv'), on='who').dropna()",
        ]:
            with self.subTest(code=code):
                page = self.cell(code)
                self.assertEqual({step["source"] for step in page["steps"]}, {1})
                self.assertIn("orders.csv", [source["file"] for source in page["sources"]])

    def test_sums_and_groups_are_no_rows_of_the_source(self) -> None:
        for code in [
            "gaps = orders.isna().sum()\ngaps[gaps > 0]",
            "sums = orders.groupby('who').amount.sum()\nsums[sums > 400]",
            "table = orders.groupby('who').sum(numeric_only=True).reset_index()\ntable[table.amount > 400]",
        ]:
            with self.subTest(code=code):
                steps = self.cell(code)["steps"]
                self.assertEqual([step["source"] for step in steps if step["op"] == "filter"], [None])

    def test_a_table_of_an_earlier_cell_brings_its_source_along(self) -> None:
        self.assertEqual(self.cell("orders.amount.sum()")["sources"][0]["lines"], [42])
        self.assertEqual(self.cell("1 + 1")["sources"], [])
        self.assertIsNone(BOOK.page("1 + 1", self.names))

    def test_tables_made_by_code_have_no_source(self) -> None:
        page = self.cell("made = pd.DataFrame({'a': [1, 2, None]})\nmade.dropna()")
        self.assertEqual([(step["source"], step["lost"]) for step in page["steps"]], [(None, 1)])
        self.assertEqual(page["sources"], [])

    def test_groups_of_an_earlier_cell_are_counted_when_they_are_used(self) -> None:
        self.cell("gaps = pd.DataFrame({'k': ['a', None], 'v': [1, 2]})\ngroups = gaps.groupby('k')")
        self.assertEqual([step["lost"] for step in self.cell("groups.v.sum()")["steps"]], [1])

    def test_pandas_own_readers(self) -> None:
        (source,) = self.cell("raw = pd.read_csv(directory / 'orders.csv', on_bad_lines='skip')")["sources"]
        self.assertEqual((source["file"], source["rows"], source["uncounted"]), ("orders.csv", 40, True))
        page = self.cell("raw.to_excel(directory / 'book.xlsx', sheet_name='May')\nsheets = pd.read_excel(directory / 'book.xlsx', sheet_name=None)")
        self.assertIn(("book.xlsx", "May", 40), [(found["file"], found["table"], found["rows"]) for found in page["sources"]])

    def test_no_table_is_kept_alive(self) -> None:
        self.cell("import weakref, gc\nfew = orders[orders.amount > 9]\nseen = weakref.ref(few)\ngroups = few.groupby('who').size()")
        self.cell("del few\ngc.collect()")
        self.assertIsNone(self.names["seen"]())

    def test_a_fault_of_the_ledger_costs_the_count_only(self) -> None:
        class Odd(pd.DataFrame):
            def __len__(self) -> int:
                raise RuntimeError("no length")

        self.names["odd"] = Odd({"a": [1, None]})
        self.assertEqual(self.cell("kept = odd.drop(columns=[])")["steps"], [])
        self.assertEqual(self.names["kept"].shape, (2, 1))


if __name__ == "__main__":
    unittest.main()
