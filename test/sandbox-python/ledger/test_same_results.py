"""With the ledger and without it: the same bytes, types, warnings and errors."""

import inspect
import pickle
import random
import traceback
import unittest
import warnings
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake import loading
from plotline.ledger import watch
from ledger_case import LedgerCase, run

STEPS = [
    "out = df[df.amount > 3]",
    "out = df.loc[df.amount > 3, ['key', 'day']]",
    "out = df.loc[:, 'amount'][df.flag]",
    "out = df.query('amount > 3 and key == \"a\"')",
    "out = df.dropna(subset=['key'])",
    "out = df.copy(); out.dropna(inplace=True)",
    "out = df.drop_duplicates('key', ignore_index=True)",
    "out = df.drop(index=df.index[:2])",
    "out = df.merge(other, on='key', how='left', indicator=True)",
    "out = df.merge(other, on='key', how='outer', sort=True)",
    "out = pd.merge(df, other, how='cross')",
    "out = df.join(other.set_index('key'), on='key', rsuffix='_o')",
    "out = df.join([other[['rate']].head(3), other[['name']].head(2)])",
    "out = df.groupby('key').amount.agg(['sum', 'mean', 'count'])",
    "out = df.groupby(['key', 'day'], dropna=False).size().reset_index(name='n')",
    "out = df.groupby('key').apply(lambda part: part[part.amount > 2], include_groups=False)",
    "out = pd.concat([df, df.head(2)], keys=['x', 'y'])",
    "out = pd.concat({'a': df.amount, 'b': other.rate}, axis=1)",
    "out = df.pivot_table(index='key', columns='flag', values='amount')",
    "out = plotline.load(directory / 'x.csv')",
    "out = pd.read_csv(directory / 'x.csv', on_bad_lines='skip')",
    "out = df.sample(4, random_state=3)",
    "out = df.amount[df.flag]",
    # What warns, what fails.
    "out = df[df.amount > 2]; out['more'] = 1",
    "out = df[df.amount > 2][df.flag]",
    "out = df['amont']",
    "out = df[[True, False]]",
    "out = df.dropna(subset=['nothing'])",
    "out = df.drop_duplicates('nothing')",
    "out = df.merge(other, on='nothing')",
    "out = df.merge(other, on='key', validate='one_to_one')",
    "out = df.groupby('nothing').size()",
    "out = pd.concat([])",
    "out = df.groupby(df.key.astype('category')).size()",
    "out = df.query('amount >')",
    "out = plotline.load(directory / 'none.csv')",
    "out = df.loc[df.amount > 3, 'nothing']",
]


class SameResults(LedgerCase):
    def setUp(self) -> None:
        super().setUp()
        self.write("x.csv", "key,amount\n" + "".join(f"k{index},{index}\n" for index in range(30)) + "k,1,2,3\n")
        self.addCleanup(watch.install)

    def outcome(self, code: str, seed: int) -> list[Any]:
        names = {**tables(seed), "pd": pd, "np": np, "directory": self.directory}
        run("import plotline", names)
        error = ""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                run(code, names)
            except Exception as problem:
                error = "".join(traceback.format_exception(problem)).partition('File "<cell 1>"')[2]
        warned = [(type(found.message).__name__, str(found.message), found.filename, found.lineno) for found in caught]
        out = names.get("out")
        told: list[Any] = [error, warned, pickle.dumps(out)]
        if isinstance(out, (pd.DataFrame, pd.Series)):
            told += [out.to_csv(), str(out.dtypes), repr(out.index), repr(out.attrs), repr(getattr(out, "_is_copy", None) is None)]
        # The tables that went in are as they were.
        return [*told, *(pickle.dumps(names[name]) for name in ("df", "other"))]

    def test_bytes_types_warnings_and_errors(self) -> None:
        compared = 0
        for code in STEPS:
            self.outcome(code, 0)  # pandas' types are shared objects that remember what was asked of them, also in a pickle.
        for seed in range(8):
            for code in STEPS:
                with self.subTest(seed=seed, code=code):
                    self.assertTrue(watch.install())
                    counted = self.outcome(code, seed)
                    watch.uninstall()
                    self.assertEqual(counted, self.outcome(code, seed))
                    compared += 1
        self.assertGreaterEqual(compared, 200)

    def test_what_is_watched_looks_like_itself(self) -> None:
        functions = [loading.load, pd.merge, pd.concat, pd.read_csv, pd.DataFrame.merge, pd.DataFrame.dropna, pd.DataFrame.__getitem__, pd.DataFrame.groupby]
        before = [(function, inspect.signature(function), function.__doc__, function.__module__, pickle.dumps(function)) for function in functions]
        watch.uninstall()
        after = [loading.load, pd.merge, pd.concat, pd.read_csv, pd.DataFrame.merge, pd.DataFrame.dropna, pd.DataFrame.__getitem__, pd.DataFrame.groupby]
        self.assertEqual(before, [(function, inspect.signature(function), function.__doc__, function.__module__, pickle.dumps(function)) for function in after])


def tables(seed: int) -> dict[str, pd.DataFrame]:
    numbers = random.Random(seed)
    size = numbers.randint(6, 40)
    df = pd.DataFrame(
        {
            "key": [numbers.choice(["a", "b", "c", None]) for _ in range(size)],
            "amount": [numbers.choice([1.5, 2.0, 4.25, 9.0, None]) for _ in range(size)],
            "flag": [numbers.random() < 0.5 for _ in range(size)],
            "day": pd.to_datetime([numbers.choice(["2024-01-01", "2024-02-03", None]) for _ in range(size)]),
        }
    )
    df.attrs = {"table": "t", "note": [1, 2]}
    other = pd.DataFrame({"key": ["a", "b", "b", "z"], "rate": [1, 2, 3, 4], "name": pd.Categorical(list("wxyz"))})
    return {"df": df, "other": other}


if __name__ == "__main__":
    unittest.main()
