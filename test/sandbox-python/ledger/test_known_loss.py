"""The ledger against losses that are known by construction, over generated tables."""

import random
import unittest
from typing import Any

import pandas as pd

from ledger_case import LedgerCase, counts

TABLES = 40
"""Of each kind."""


def shuffled(numbers: random.Random, rows: list[dict[str, Any]]) -> pd.DataFrame:
    numbers.shuffle(rows)
    frame = pd.DataFrame(rows)
    # An index that says nothing, as after sorting and filtering.
    return frame.set_axis(numbers.sample(range(10 * len(frame) + 1), len(frame)), axis=0)


class KnownLoss(LedgerCase):
    def test_filters(self) -> None:
        forms = [
            "df[df.amount > 0]",
            "df[(df.amount > 0).to_numpy()]",
            "df[list(df.amount > 0)]",
            "df[lambda d: d.amount > 0]",
            "df[(df.amount > 0).astype('boolean')]",
            "df[(df.amount > 0).astype(object)]",
            "df.loc[df.amount > 0]",
            "df.loc[df.amount > 0, ['key']]",
            "df.loc[df.amount > 0, 'key']",
            "df.loc[lambda d: d.amount > 0]",
            "df.key[df.amount > 0]",
            "df.key.loc[df.amount > 0]",
            "df.iloc[(df.amount > 0).to_numpy()]",
            "df.query('amount > 0')",
            "df.query('amount > 0', inplace=True)",
        ]
        for seed in range(TABLES * 2):
            numbers = random.Random(seed)
            kept, lost = numbers.randint(1, 60), numbers.randint(0, 40)
            rows = [{"key": index, "amount": numbers.randint(1, 9) * (1 if index < kept else -1)} for index in range(kept + lost)]
            self.names["df"] = shuffled(numbers, rows)
            form = forms[seed % len(forms)]
            with self.subTest(seed=seed, form=form):
                self.assertEqual(counts(self.step(f"kept = {form}")), ("filter", kept + lost, kept, lost))

    def test_missing_values(self) -> None:
        forms = [
            ("df.dropna(subset=['amount'])", "amount", "dropna"),
            ("df.dropna(subset='amount')", "amount", "dropna"),
            ("df.dropna()", None, "dropna"),
            ("df.dropna(subset=['amount'], inplace=True)", "amount", "dropna"),
            ("df.dropna(ignore_index=True)", None, "dropna"),
            ("df.dropna(how='all')", "every", "dropna-all"),
            ("df.dropna(thresh=1)", "every", "dropna"),
        ]
        for seed in range(TABLES):
            numbers = random.Random(100 + seed)
            whole, without, empty, other = (numbers.randint(1, 30) for _ in range(4))
            rows = [{"amount": 1.5, "name": "x"} for _ in range(whole)] + [{"amount": None, "name": "y"} for _ in range(without)]
            rows += [{"amount": None, "name": None} for _ in range(empty)] + [{"amount": 2.5, "name": None} for _ in range(other)]
            form, what, op = forms[seed % len(forms)]
            lost = {"amount": without + empty, None: without + empty + other, "every": empty}[what]
            self.names["df"] = shuffled(numbers, rows)
            with self.subTest(seed=seed, form=form):
                step = self.step(f"left = {form}")
                self.assertEqual(counts(step), (op, len(rows), len(rows) - lost, lost))
                self.assertEqual(step["names"], ["amount"] if what == "amount" else [])

    def test_duplicates(self) -> None:
        forms = ["df.drop_duplicates()", "df.drop_duplicates(subset=['key'])", "df.drop_duplicates('key', keep='last')", "df.drop_duplicates(inplace=True)"]
        for seed in range(TABLES):
            numbers = random.Random(200 + seed)
            copies = [numbers.randint(1, 4) for _ in range(numbers.randint(1, 40))]
            rows = [{"key": key, "text": f"t{key}"} for key, count in enumerate(copies) for _ in range(count)]
            self.names["df"] = shuffled(numbers, rows)
            form = forms[seed % len(forms)]
            with self.subTest(seed=seed, form=form):
                self.assertEqual(counts(self.step(f"once = {form}")), ("dedupe", len(rows), len(copies), len(rows) - len(copies)))

    def test_joins(self) -> None:
        forms = [
            "left.merge(right, on='key', how=how)",
            "pd.merge(left, right, on='key', how=how)",
            "left.merge(right, on=['key', 'part'], how=how)",
            "left.merge(right.rename(columns={'key': 'other'}), left_on='key', right_on='other', how=how)",
            "left.merge(right.set_index('key'), left_on='key', right_index=True, how=how)",
            "left.set_index('key').merge(right.set_index('key'), left_index=True, right_index=True, how=how)",
            "left.join(right.set_index('key'), on='key', how=how, rsuffix='_r')",
            "left.set_index('key').join(right.set_index('key'), how=how, rsuffix='_r')",
        ]
        kinds = ["inner", "left", "outer", "right"]
        for seed in range(len(forms) * len(kinds) * 3):
            numbers = random.Random(300 + seed)
            # Each key stands so many times on the left and on the right.
            keys = [(numbers.choice([0, 1, 1, 2]), numbers.choice([0, 1, 1, 1, 3])) for _ in range(numbers.randint(3, 40))] + [(1, 1)]
            form, how = forms[seed % len(forms)], kinds[seed // len(forms) % len(kinds)]
            for place, name in enumerate(("left", "right")):
                rows = [{"key": f"k{key}", "part": key % 3, name: 1} for key, times in enumerate(keys) for _ in range(times[place])]
                self.names[name] = shuffled(numbers, rows)
            self.names["how"] = how
            sides = [(right, left) if how == "right" else (left, right) for left, right in keys]
            before = sum(own for own, _ in sides)
            matched = sum(own for own, other in sides if other)
            extra = sum(own * (other - 1) for own, other in sides if other)
            after = sum(left * right for left, right in keys)
            after += sum(left for left, right in keys if not right) * (how in ("left", "outer"))
            after += sum(right for left, right in keys if not left) * (how in ("right", "outer"))
            with self.subTest(seed=seed, form=form, how=how):
                step = self.step(f"both = {form}")
                self.assertEqual(counts(step), ("join", before, after, before - matched if how == "inner" else 0))
                self.assertEqual((step["matched"], step["extra"]), (matched, extra))
                self.assertEqual(len(self.names["both"]), after)

    def test_groups(self) -> None:
        forms = [
            ("df.groupby('key').size()", 1),
            ("df.groupby(['key'])['amount'].sum()", 1),
            ("df.groupby(['key', 'day']).amount.mean()", 2),
            ("df.groupby(df['key']).agg(total=('amount', 'sum'))", 1),
            ("df.astype({'key': 'category'}).groupby('key', observed=True).amount.sum()", 1),
            ("df.set_index('key').groupby(level=0).amount.sum()", 1),
            ("df.groupby(pd.Grouper(key='day', freq='ME')).amount.sum()", 3),
            ("df.groupby(['key', pd.Grouper(key='day', freq='ME')]).amount.sum()", 2),
            ("df.groupby('key').amount.transform('sum')", 1),
            ("df.groupby('key', dropna=False).amount.sum()", 0),
        ]
        for seed in range(TABLES):
            numbers = random.Random(500 + seed)
            whole, no_key, no_day, neither = (numbers.randint(1, 25) for _ in range(4))
            made = [(True, True)] * whole + [(False, True)] * no_key + [(True, False)] * no_day + [(False, False)] * neither
            day = pd.Timestamp("2024-03-01")
            rows = [{"key": "ab"[numbers.randint(0, 1)] if key else None, "day": day if dated else pd.NaT, "amount": 1} for key, dated in made]
            self.names["df"] = shuffled(numbers, rows)
            form, what = forms[seed % len(forms)]
            lost = [0, no_key + neither, no_key + no_day + neither, no_day + neither][what]
            with self.subTest(seed=seed, form=form):
                self.assertEqual(counts(self.step(f"groups = {form}")), ("groupby", len(rows), len(rows) - lost, lost))

    def test_concats(self) -> None:
        for seed in range(TABLES):
            numbers = random.Random(600 + seed)
            sizes = [numbers.randint(0, 20) for _ in range(numbers.randint(2, 4))]
            self.names["parts"] = [pd.DataFrame({"a": range(size)}) for size in sizes]
            with self.subTest(seed=seed, sizes=sizes):
                step = self.step("all_rows = pd.concat(parts, ignore_index=True)")
                self.assertEqual(counts(step), ("concat", sum(sizes), sum(sizes), 0))
                beside = self.step("beside = pd.concat(parts, axis=1, join='inner')")
                self.assertEqual(counts(beside), ("concat", sizes[0], min(sizes), sizes[0] - min(sizes)))

    def test_samples(self) -> None:
        for seed in range(TABLES // 2):
            numbers = random.Random(650 + seed)
            size = numbers.randint(2, 50)
            taken = numbers.randint(1, size)
            self.names["df"] = pd.DataFrame({"a": range(size)})
            with self.subTest(seed=seed):
                self.assertEqual(counts(self.step(f"part = df.sample({taken}, random_state=1)")), ("sample", size, taken, size - taken))

    def test_loads(self) -> None:
        for seed in range(TABLES // 2):
            numbers = random.Random(700 + seed)
            lines = [f"{index},n{index},{index * 2}" for index in range(numbers.randint(30, 90))]
            broken = sorted(numbers.sample(range(len(lines)), numbers.randint(0, 4)))
            for place in broken:
                lines[place] += ",7,8,9"
            self.write(f"t{seed}.csv", "\n".join(["id,name,amount", *lines]) + "\n")
            page = self.cell(f"import plotline\ndf = plotline.load(directory / 't{seed}.csv')")
            with self.subTest(seed=seed):
                (source,) = page["sources"]
                self.assertEqual((source["rows"], source["loaded"], source["rejected"]), (len(lines), len(lines) - len(broken), len(broken)))
                self.assertEqual((source["lines"], source["file"]), ([place + 2 for place in broken], f"t{seed}.csv"))


if __name__ == "__main__":
    unittest.main()
