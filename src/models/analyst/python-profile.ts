import type { ConvertPlan, ProfilePlan, TableRef } from './plan.ts';
import { cell, loadCall, py } from './python-source.ts';

/** Python that looks at tables as a whole, and that writes them in another format. */

export function profileCode(plan: ProfilePlan): string {
  const loads = plan.tables.map((table) => `    ${py(tableTitle(table, plan.tables))}: ${loadCall(table)},`);
  return cell(
    ['tables = {', ...loads, '}', 'facts = {}'],
    [...profileLines(plan), 'print(json.dumps(facts, default=str, ensure_ascii=False))'],
  );
}

/** The sheet's name; the file's where every file has one table. */
function tableTitle(table: TableRef, all: readonly TableRef[]): string {
  const files = new Set(all.map(({ file }) => file));
  if (files.size === 1) return table.oneOfMany ? table.table : table.file;
  return table.oneOfMany ? `${table.file}: ${table.table}` : table.file;
}

const shapeLines = [
  '    facts[title] = {"rows": len(data), "columns": data.shape[1], "rejected": data.attrs.get("rejected", [])[:40], "rejected_count": len(data.attrs.get("rejected", []))}',
];

function profileLines(plan: ProfilePlan): readonly string[] {
  switch (plan.form) {
    case 'describe':
      return [
        'for title, data in tables.items():',
        ...shapeLines,
        '    fact = facts[title]',
        '    fact["missing"] = int(data.isna().sum().sum())',
        '    fact["repeated"] = int(data.duplicated().sum())',
        '    fact["names"] = [str(name) for name in data.columns][:40]',
        '    numbers = data.select_dtypes("number")',
        '    fact["numbers"] = [[name, float(column.min()), float(column.mean()), float(column.max())] for name, column in numbers.items() if column.notna().any()][:12]',
        '    dates = data.select_dtypes(["datetime", "datetimetz"])',
        '    fact["dates"] = [[name, str(column.min())[:10], str(column.max())[:10]] for name, column in dates.items() if column.notna().any()]',
        '    texts = data.select_dtypes(["object", "string", "category"])',
        '    fact["texts"] = [[name, int(column.nunique()), str(column.mode().iloc[0]), int(column.value_counts().iloc[0])] for name, column in texts.items() if column.notna().any()][:12]',
        '    links = numbers.corr().abs() if numbers.shape[1] > 1 else pd.DataFrame()',
        '    pairs = [[a, b, float(numbers[a].corr(numbers[b]))] for at, a in enumerate(links) for b in list(links)[at + 1:] if links.loc[a, b] >= 0.5]',
        '    fact["links"] = sorted(pairs, key=lambda pair: -abs(pair[2]))[:3]',
        '    summary = data.describe(include="all").T.rename_axis("column").reset_index()',
        '    keep = [name for name in ["column", "count", "unique", "top", "mean", "min", "50%", "max"] if name in summary]',
        // A mean of dates has hours down to the nanosecond, which nobody wants to read.
        '    display(summary[keep].map(lambda value: str(value)[:10] if isinstance(value, pd.Timestamp) else value))',
      ];
    case 'missing':
      return [
        'for title, data in tables.items():',
        ...shapeLines,
        '    gaps = data.isna().sum()',
        '    facts[title]["gaps"] = [[name, int(count)] for name, count in gaps[gaps > 0].sort_values(ascending=False).items()]',
        '    facts[title]["cells"] = int(data.size)',
        '    facts[title]["whole"] = int(data.notna().all(axis=1).sum())',
        '    if gaps.sum():',
        '        table = gaps[gaps > 0].sort_values(ascending=False).rename("missing").rename_axis("column").reset_index()',
        '        table["percent"] = (100 * table["missing"] / len(data)).round(1)',
        '        display(table)',
      ];
    case 'duplicates':
      return [
        'for title, data in tables.items():',
        ...shapeLines,
        '    repeated = data[data.duplicated(keep=False)]',
        '    facts[title]["repeated"] = int(data.duplicated().sum())',
        '    facts[title]["involved"] = len(repeated)',
        '    facts[title]["by_column"] = [[name, int(column.dropna().duplicated().sum())] for name, column in data.items() if 0 < column.dropna().duplicated().sum() <= 0.05 * len(data)][:5]',
        '    if len(repeated):',
        '        display(repeated.sort_values(list(data.columns), key=lambda column: column.astype(str)).head(100))',
      ];
    case 'schema':
      return [
        'for title, data in tables.items():',
        ...shapeLines,
        '    facts[title]["names"] = [str(name) for name in data.columns]',
        '    display(pd.DataFrame({',
        '        "column": data.columns,',
        '        "type": [str(kind) for kind in data.dtypes],',
        '        "filled": data.notna().sum().values,',
        '        "different": data.nunique().values,',
        '        "example": [str(column.dropna().iloc[0]) if column.notna().any() else "" for _, column in data.items()],',
        '    }))',
      ];
    default:
      return plan.form satisfies never;
  }
}

const cleanLines = [
  '    before = len(data)',
  '    texts = data.select_dtypes(["object", "string"]).columns',
  '    for name in texts:',
  '        data[name] = data[name].map(lambda value: value.strip() or None if isinstance(value, str) else value)',
  '    data = data.dropna(how="all").dropna(how="all", axis=1)',
  '    data = data.drop_duplicates()',
  '    facts[title]["removed"] = before - len(data)',
  '    tables[title] = data',
];

export function convertCode(plan: ConvertPlan): string {
  const stem = plan.file.replace(/\.[^.]+$/, '');
  const suffix = plan.clean ? '-clean' : '';
  const loads = plan.tables.map((table) => `    ${py(table.oneOfMany ? table.table : stem)}: ${loadCall(table)},`);
  const source = ['tables = {', ...loads, '}', 'facts = {}'];
  return cell(source, [
    'for title, data in tables.items():',
    ...shapeLines,
    ...(plan.clean ? cleanLines : []),
    '    facts[title]["written"] = len(data)',
    '',
    ...writeLines(plan, `${stem}${suffix}`),
    'print(json.dumps(facts, default=str, ensure_ascii=False))',
  ]);
}

function writeLines(plan: ConvertPlan, stem: string): readonly string[] {
  const many = plan.tables.length > 1;
  if (plan.format === 'xlsx') {
    return [
      `with pd.ExcelWriter(${py(`${stem}.xlsx`)}, engine="xlsxwriter", datetime_format="yyyy-mm-dd", date_format="yyyy-mm-dd") as book:`,
      '    bold = book.book.add_format({"bold": True, "bottom": 1})',
      '    for title, data in tables.items():',
      '        sheet_name = "".join(" " if letter in "[]:*?/\\\\" else letter for letter in title)[:31]',
      '        data.to_excel(book, sheet_name=sheet_name, index=False)',
      '        sheet = book.sheets[sheet_name]',
      '        sheet.freeze_panes(1, 0)',
      '        sheet.autofilter(0, 0, len(data), max(0, data.shape[1] - 1))',
      '        for place, name in enumerate(data.columns):',
      '            sheet.write(0, place, str(name), bold)',
      '            width = max([len(str(name)), *data[name].head(200).astype(str).str.len().fillna(0).astype(int)])',
      '            sheet.set_column(place, place, min(48, width + 3))',
      `facts["files"] = [${py(`${stem}.xlsx`)}]`,
    ];
  }
  const name = many
    ? `${py(`${stem}-`)} + "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in title).strip() + ".${plan.format}"`
    : py(`${stem}.${plan.format}`);
  const write =
    plan.format === 'csv'
      ? '    data.to_csv(name, index=False, encoding="utf-8")'
      : '    data.to_json(name, orient="records", date_format="iso", indent=2, force_ascii=False)';
  return [
    'written = []',
    'for title, data in tables.items():',
    `    name = ${name}`,
    write,
    '    written.append(name)',
    'facts["files"] = written',
  ];
}
