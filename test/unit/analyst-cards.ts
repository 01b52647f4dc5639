import type { CardColumn, FileCard } from '../../src/types.ts';

/** Hand-made cards of five differently shaped files, for the planner's tests. */

type Top = readonly (readonly [string, number])[];

function column(
  name: string,
  type: CardColumn['type'],
  extra: Partial<CardColumn> & { readonly values?: Top } = {},
): CardColumn {
  const { values = [], ...rest } = extra;
  const top = values.map(([value, count]) => ({ value, count }));
  return {
    name,
    type,
    unit: null,
    missing: 0,
    distinct: values.length || 100,
    min: null,
    max: null,
    top,
    examples: [],
    ...rest,
  };
}

function card(
  file: string,
  tables: readonly (readonly [string, number, readonly CardColumn[]])[],
  kind = 'csv',
): FileCard {
  return {
    file,
    ok: true,
    error: null,
    kind,
    size_bytes: 1000,
    seconds: 0.1,
    dialect: null,
    rejected: [],
    rejected_count: 0,
    warnings: [],
    tables: tables.map(([name, rows, columns]) => ({
      name,
      hidden: false,
      range: '',
      rows,
      columns: columns.length,
      header_rows: 1,
      columns_info: columns,
    })),
  };
}

const texts = (...names: readonly string[]): Top => names.map((name, at) => [name, 50 - at] as const);

export const sales = card(
  'sales.xlsx',
  [
    [
      'Sales',
      600,
      [
        column('Date', 'date', { distinct: 366, min: '2023-01-01', max: '2024-12-31' }),
        column('Region', 'text', { values: texts('North', 'South', 'East', 'West') }),
        column('Channel', 'text', { values: texts('Online', 'Retail', 'Partner') }),
        column('Product', 'text', { values: texts('Lamp', 'Chair', 'Desk', 'Shelf') }),
        column('Units', 'integer', { distinct: 40, min: 1, max: 40 }),
        column('Unit Price', 'number', { distinct: 9, min: 9.9, max: 99 }),
        column('Revenue (EUR)', 'number', { unit: 'EUR', distinct: 500, min: 9.9, max: 1960 }),
      ],
    ],
  ],
  'xlsx',
);

export const gdp = card('gdp-by-country.csv', [
  [
    'gdp-by-country',
    100,
    [
      column('Country', 'text', {
        values: texts('Germany', 'France', 'Kenya', 'India', 'China', 'Brazil', 'Japan', 'Norway', 'Peru', 'Chad'),
      }),
      column('Year', 'integer', { distinct: 10, min: 2014, max: 2023 }),
      column('GDP (US$)', 'number', { unit: 'US$', distinct: 98, missing: 2, min: 1e11, max: 2e13 }),
    ],
  ],
]);

export const shop = card(
  'orders-and-customers.xlsx',
  [
    [
      'Orders',
      400,
      [
        column('order_id', 'id', { distinct: 400 }),
        column('customer_id', 'id', { distinct: 62 }),
        column('order_date', 'date', { distinct: 200, min: '2024-01-01', max: '2024-07-20' }),
        column('product', 'text', { values: texts('Lamp', 'Chair') }),
        column('quantity', 'integer', { distinct: 9, min: 1, max: 9 }),
        column('unit_price', 'number', { distinct: 2, min: 9.9, max: 19.5 }),
      ],
    ],
    [
      'Customers',
      60,
      [
        column('customer_id', 'id', { distinct: 60 }),
        column('name', 'text', { distinct: 60, examples: ['Ada', 'Bo'] }),
        column('country', 'text', { values: texts('Germany', 'France', 'Spain') }),
        column('segment', 'text', { values: texts('SMB', 'Large') }),
      ],
    ],
  ],
  'xlsx',
);

export const umsatz = card('umsatz.csv', [
  [
    'umsatz',
    200,
    [
      column('Datum', 'date', { distinct: 200, min: '2020-01-01', max: '2023-12-31' }),
      column('Filiale', 'text', { values: texts('Köln', 'München', 'Zürich') }),
      column('Umsatz [EUR]', 'number', { unit: 'EUR', min: 1, max: 900 }),
      column('Stückzahl', 'integer', { min: 1, max: 90 }),
      column('Kundennummer', 'id', { distinct: 180 }),
    ],
  ],
]);

export const people = card('hr_export.csv', [
  [
    'hr_export',
    120,
    [
      column('employeeId', 'id', { distinct: 120 }),
      column('departmentName', 'text', { values: texts('Finance', 'Engineering', 'Human Resources') }),
      column('jobTitle', 'text', { distinct: 30 }),
      column('annualSalary', 'number', { unit: 'USD', min: 30000, max: 250000 }),
      column('age', 'integer', { distinct: 40, min: 19, max: 66 }),
      column('yearsOfService', 'integer', { distinct: 30, min: 0, max: 40 }),
      column('hireDate', 'date', { min: '2001-01-01', max: '2024-01-01' }),
    ],
  ],
]);

export const wide = card('co2-emissions.csv', [
  [
    'co2-emissions',
    2,
    [
      column('Country', 'text', { values: texts('Germany', 'France') }),
      ...['2019', '2020', '2021', '2022'].map((year) => column(year, 'number', { distinct: 2, min: 1, max: 9 })),
    ],
  ],
]);

export const photos = card('photos.zip', [], 'zip');
export const picture = card('logo.png', [], 'image');
export const report = card('report.pdf', [], 'pdf');
