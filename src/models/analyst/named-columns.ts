import type { Column, Table } from './cards.ts';
import type { Mention } from './mentions.ts';
import type { Reading } from './parse-analysis.ts';
import type { ColumnRef, Dimension, Filter } from './plan.ts';
import { resolve } from './source.ts';

/** The columns a reading names, settled to one table each. */

export interface Named {
  readonly mention: Mention;
  readonly column: Column;
  readonly table: Table;
}

export function namedColumns(reading: Reading): readonly Named[] {
  return reading.mentions.flatMap((mention) => {
    const option = resolve(mention, reading.table);
    return option === null ? [] : [{ mention, column: option.column, table: option.table }];
  });
}

export function isTime(dimension: Dimension): boolean {
  return dimension.column.role === 'date' || dimension.column.role === 'year' || dimension.column.order !== null;
}

export function columnsOf(filter: Filter): readonly ColumnRef[] {
  return filter.kind === 'values' ? filter.columns.slice(0, 1) : [filter.column];
}
