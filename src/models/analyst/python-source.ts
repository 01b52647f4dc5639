import type { ColumnRef, Filter, Join, Source, TableRef } from './plan.ts';

/** The Python that every table question starts with: load, join, filter. It leaves `data` and `facts`. */

/** A Python literal. JSON's strings, numbers and lists are Python's too. */
export function py(value: string | number | readonly string[] | readonly number[]): string {
  if (typeof value === 'object') return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
  return JSON.stringify(value);
}

/** `True`, `False` or `None`. */
export function pyFlag(value: boolean | null): string {
  if (value === null) return 'None';
  return value ? 'True' : 'False';
}

export function loadCall(table: TableRef): string {
  return table.oneOfMany ? `plotline.load(${py(table.file)}, ${py(table.table)})` : `plotline.load(${py(table.file)})`;
}

export interface Options {
  /** The second attempt: columns of numbers and dates are converted by force first. */
  readonly coerce: boolean;
  /** Columns the question computes with. */
  readonly columns: readonly ColumnRef[];
}

/** Lines that load `source`, join what it needs and keep the rows that `filters` ask for. */
export function sourceLines(source: Source, filters: readonly Filter[], options: Options): readonly string[] {
  const needed = [
    ...options.columns,
    ...filters.flatMap((filter) => (filter.kind === 'values' ? filter.columns : [filter.column])),
  ];
  const lines = [
    `data = ${loadCall(source.table)}`,
    ...(source.table.totals
      ? ['totals = data.attrs.get("totals", [])', 'data = data.drop(index=[total["row"] for total in totals])']
      : []),
    'facts = {"read": len(data), "rejected": data.attrs.get("rejected", [])[:40], "rejected_count": len(data.attrs.get("rejected", []))}',
    ...(source.table.totals ? ['facts["totals"] = [total["line"] for total in totals]'] : []),
    ...wideLines(source.table),
    ...source.joins.flatMap((join) => joinLines(join, needed)),
  ];
  if (options.coerce) lines.push(...coerceLines(needed));
  if (filters.length > 0) lines.push('', ...filters.flatMap(filterLines), 'facts["kept"] = len(data)');
  return lines;
}

function wideLines({ wide }: TableRef): readonly string[] {
  if (wide === null) return [];
  return [
    `periods = ${py(wide.columns)}`,
    `data = data.melt(id_vars=${py(wide.ids)}, value_vars=periods, var_name=${py(wide.period)}, value_name=${py(wide.valueName)})`,
    ...(wide.period === 'Year' ? ['data["Year"] = data["Year"].astype(int)'] : []),
    'facts["read"] = len(data)',
    'facts["cells"] = True',
  ];
}

function joinLines(join: Join, needed: readonly ColumnRef[]): readonly string[] {
  const wanted = needed
    .filter((column) => column.file === join.right.file && column.table === join.right.table)
    .map(({ name }) => name);
  const keys =
    join.keys.length > 1
      ? [
          `keys = [${join.keys.map(([left, right]) => `(${py(left)}, ${py(right)})`).join(', ')}]`,
          'left, right = max(keys, key=lambda pair: data[pair[0]].astype(str).isin(other[pair[1]].astype(str)).mean())',
        ]
      : [`left, right = ${py(join.keys[0]?.[0] ?? '')}, ${py(join.keys[0]?.[1] ?? '')}`];
  return [
    '',
    `other = ${loadCall(join.right)}`,
    'rejected_there = other.attrs.get("rejected", [])',
    ...keys,
    'data[left], other[right] = data[left].astype("string").str.strip(), other[right].astype("string").str.strip()',
    'repeated = int(other[right].dropna().duplicated().sum())',
    `other = other.dropna(subset=[right]).drop_duplicates(right)[list(dict.fromkeys([right, *${py([...new Set(wanted)])}]))]`,
    'facts.setdefault("joins", []).append({',
    `    "table": ${py(join.right.table)}, "left": left, "right": right, "repeated": repeated,`,
    '    "matched": int(data[left].isin(other[right]).sum()), "rows": len(data),',
    '    "missing": data.loc[~data[left].isin(other[right]), left].dropna().unique()[:5].tolist(),',
    '    "unused": int((~other[right].isin(data[left])).sum()), "rejected": len(rejected_there),',
    '})',
    'data = data.merge(other, how="left", left_on=left, right_on=right)',
  ];
}

function coerceLines(columns: readonly ColumnRef[]): readonly string[] {
  const names = (roles: readonly string[]): readonly string[] => [
    ...new Set(columns.filter(({ role }) => roles.includes(role)).map(({ name }) => name)),
  ];
  return [
    `for name in ${py(names(['number', 'year']))}:`,
    '    data[name] = pd.to_numeric(data[name], errors="coerce")',
    `for name in ${py(names(['date']))}:`,
    '    data[name] = pd.to_datetime(data[name], errors="coerce")',
  ];
}

function filterLines(filter: Filter): readonly string[] {
  switch (filter.kind) {
    case 'values':
      return filter.columns.length === 1 ? knownValueLines(filter) : soughtValueLines(filter);
    case 'compare':
      return [`data = data[data[${py(filter.column.name)}] ${filter.operator} ${filter.value}]`];
    case 'range':
      return [`data = data[data[${py(filter.column.name)}].between(${filter.from}, ${filter.to})]`];
    case 'dates': {
      const column = `data[${py(filter.column.name)}]`;
      const tests = [
        ...(filter.from === null ? [] : [`(${column} >= ${py(filter.from)})`]),
        ...(filter.before === null ? [] : [`(${column} < ${py(filter.before)})`]),
      ];
      return tests.length === 0 ? [] : [`data = data[${tests.join(' & ')}]`];
    }
    case 'month':
      return [`data = data[data[${py(filter.column.name)}].dt.month == ${filter.month}]`];
    default:
      return filter satisfies never;
  }
}

type Values = Extract<Filter, { readonly kind: 'values' }>;

/** One column: its values are compared without case; where none fits, the closest ones are named. */
function knownValueLines({ columns, values, exclude }: Values): readonly string[] {
  const name = py(columns[0]?.name ?? '');
  const wanted = values.map((value) => value.toLowerCase());
  return [
    `texts = data[${name}].astype(str).str.strip().str.lower()`,
    `hits = texts.isin(${py(wanted)})`,
    'if not hits.any():',
    `    near = difflib.get_close_matches(${py(wanted[0] ?? '')}, texts.unique().tolist(), n=3, cutoff=0.5)`,
    `    facts["no_match"] = {"value": ${py(values[0] ?? '')}, "column": ${name}, "closest": data.loc[texts.isin(near), ${name}].astype(str).unique()[:3].tolist()}`,
    exclude ? 'data = data[~hits]' : 'data = data[hits]',
  ];
}

/** Several candidate columns: the first that holds the value is taken. */
function soughtValueLines({ columns, values, exclude }: Values): readonly string[] {
  const wanted = values.map((value) => value.toLowerCase());
  return [
    `texts = data[${py(columns.map(({ name }) => name))}].astype(str).apply(lambda column: column.str.strip().str.lower())`,
    `found = [name for name in texts if texts[name].isin(${py(wanted)}).any()]`,
    'if found:',
    `    facts["found_in"] = {"value": ${py(values[0] ?? '')}, "column": found[0]}`,
    `    data = data[${exclude ? '~' : ''}texts[found[0]].isin(${py(wanted)})]`,
    'else:',
    `    near = difflib.get_close_matches(${py(wanted[0] ?? '')}, pd.unique(texts.values.ravel()).tolist(), n=3, cutoff=0.5)`,
    `    facts["no_match"] = {"value": ${py(values[0] ?? '')}, "column": None, "closest": near}`,
    '    data = data.iloc[:0]',
  ];
}

/** A whole cell: imports that are used, the source, then the body, which is skipped when no row is left. */
export function cell(source: readonly string[], body: readonly string[]): string {
  const text = [...source, ...body].join('\n');
  const imports = [
    ...(text.includes('difflib.') ? ['import difflib'] : []),
    'import json',
    '',
    ...(/\bplt\./.test(text) ? ['import matplotlib.pyplot as plt'] : []),
    ...(/\bnp\./.test(text) ? ['import numpy as np'] : []),
    ...(/\bpd\./.test(text) ? ['import pandas as pd'] : []),
    'import plotline',
    ...(/\bsns\./.test(text) ? ['import seaborn as sns'] : []),
    ...(/\bticker\./.test(text) ? ['from matplotlib import ticker'] : []),
    '',
  ];
  if (!text.includes('facts["kept"]')) return [...imports, ...source, '', ...body].join('\n') + '\n';
  return (
    [
      ...imports,
      ...source,
      '',
      'if data.empty:',
      '    print(json.dumps(facts, default=str, ensure_ascii=False))',
      'else:',
      ...body.map((line) => (line === '' ? '' : `    ${line}`)),
    ].join('\n') + '\n'
  );
}

/** Rows that equal another in every column are counted like any other, and the answer says so. */
const repeatedLine = 'facts["repeated"] = int(data.loc[used.index].duplicated().sum()) if data.shape[1] > 1 else 0';

/** Lines that keep the complete rows as `used` and count what was left out, each with the lines where the loader knows them. */
export function usedLines(columns: readonly string[], identity: readonly string[] = []): readonly string[] {
  const names = [...new Set(columns)];
  const who = [...new Set(identity)];
  if (names.length === 0) return ['used = data', 'facts["used"] = len(used)', repeatedLine];
  return [
    `needed = ${py(names)}`,
    'used = data.dropna(subset=needed).copy()',
    'gaps = data[needed].isna()',
    'facts["missing"] = {name: int(count) for name, count in gaps.sum().items() if count}',
    ...(who.length === 0
      ? []
      : [
          `facts["gap_rows"] = [" ".join(map(str, row)) for row in data.loc[gaps[${py(names[0] ?? '')}], ${py(who)}].head(10).values.tolist()]`,
        ]),
    'facts["used"] = len(used)',
    repeatedLine,
    'facts["unusable"] = [cell for cell in data.attrs.get("unusable", []) if cell["column"] in needed][:30]',
  ];
}

export const printFacts = 'print(json.dumps(facts, default=str, ensure_ascii=False))';
