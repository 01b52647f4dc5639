/** The plan: what a question means, as plain JSON. It is kept with the answer, so that the next question can change it. */

export type ColumnRole = 'number' | 'category' | 'date' | 'year' | 'id' | 'other';
export type Order = 'months' | 'weekdays';

export interface ColumnRef {
  readonly file: string;
  readonly table: string;
  readonly name: string;
  readonly role: ColumnRole;
  readonly unit: string | null;
  /** Text columns that hold month or weekday names are shown in calendar order. */
  readonly order: Order | null;
}

export interface TableRef {
  readonly file: string;
  readonly table: string;
  /** The file has other tables too, so the answer says which one it used. */
  readonly oneOfMany: boolean;
  /** Some rows add up the others and are left out. */
  readonly totals: boolean;
  /** A table with one column per year or month, to be read as one row per year or month. */
  readonly wide: {
    readonly period: 'Year' | 'Month';
    readonly ids: readonly string[];
    readonly columns: readonly string[];
    readonly valueName: string;
  } | null;
}

export type Grain = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'weekday' | 'hour';
export type Aggregate = 'sum' | 'mean' | 'median' | 'min' | 'max' | 'count' | 'distinct';

/** `product` multiplies two columns row by row (quantity × price) where no column holds the amount itself. */
export interface Measure {
  readonly kind: 'column' | 'product' | 'rows';
  readonly columns: readonly ColumnRef[];
  readonly label: string;
  readonly unit: string | null;
  /** Its own way of being put together, where a question names several ("total revenue and average price"); else the plan's. */
  readonly aggregate: Aggregate | null;
}

export interface Dimension {
  readonly column: ColumnRef;
  /** How dates are grouped; `null` takes the values as they are. */
  readonly grain: Grain | null;
}

export type Filter =
  /** More than one candidate column: the value is in none of the cards, the sandbox looks for it. */
  | {
      readonly kind: 'values';
      readonly columns: readonly ColumnRef[];
      readonly values: readonly string[];
      readonly exclude: boolean;
    }
  | {
      readonly kind: 'compare';
      readonly column: ColumnRef;
      readonly operator: '>' | '>=' | '<' | '<=' | '==' | '!=';
      readonly value: number;
    }
  | { readonly kind: 'range'; readonly column: ColumnRef; readonly from: number; readonly to: number }
  /** ISO days, `from` inclusive, `before` exclusive; `null` is open. */
  | {
      readonly kind: 'dates';
      readonly column: ColumnRef;
      readonly from: string | null;
      readonly before: string | null;
      readonly words: string;
    }
  | { readonly kind: 'month'; readonly column: ColumnRef; readonly month: number };

export interface Join {
  readonly left: TableRef;
  readonly right: TableRef;
  /** Candidate key pairs, likeliest first; with several the one whose values overlap most is used. */
  readonly keys: readonly (readonly [string, string])[];
}

export interface Source {
  readonly table: TableRef;
  readonly joins: readonly Join[];
}

export type ChartType = 'line' | 'area' | 'bar' | 'pie' | 'histogram' | 'scatter' | 'box' | 'heatmap';
export type Sort = 'value-desc' | 'value-asc' | 'name-asc' | 'name-desc' | 'time';

/** `null` leaves the choice to the chart's content and to the house style. */
export interface ChartStyle {
  readonly type: ChartType | null;
  readonly horizontal: boolean | null;
  readonly stacked: boolean | null;
  readonly sort: Sort | null;
  readonly labels: boolean | null;
  readonly logScale: boolean | null;
  readonly title: string | null;
  readonly colour: string | null;
  readonly manyColours: boolean | null;
  readonly bigger: boolean | null;
  readonly grid: boolean | null;
  readonly legend: boolean | null;
}

export const plainStyle: ChartStyle = {
  type: null,
  horizontal: null,
  stacked: null,
  sort: null,
  labels: null,
  logScale: null,
  title: null,
  colour: null,
  manyColours: null,
  bigger: null,
  grid: null,
  legend: null,
};

interface Tabular {
  readonly source: Source;
  readonly filters: readonly Filter[];
  /** One sentence each: how a word was read where another reading was possible. */
  readonly assumptions: readonly string[];
}

/** A measure by nothing, by one or by two dimensions. */
export interface AnalysisPlan extends Tabular {
  readonly kind: 'analysis';
  readonly measures: readonly Measure[];
  readonly aggregate: Aggregate;
  readonly dimensions: readonly Dimension[];
  readonly top: { readonly count: number; readonly order: 'desc' | 'asc' } | null;
  /** `share` in percent of the total; `growth` first to last period in percent; `change` against the period before. */
  readonly compute: 'value' | 'share' | 'growth' | 'change';
  /** Levels (prices, populations, GDP) are not added over the years: only the newest period is taken. */
  readonly latest: Dimension | null;
  /** Values that the answer must name, e.g. for "what share comes from Germany". */
  readonly focus: readonly string[];
  readonly show: 'chart' | 'table' | 'both';
  readonly style: ChartStyle;
}

/** Single values: histogram, box plot, scatter, correlation of columns. */
export interface ColumnsPlan extends Tabular {
  readonly kind: 'columns';
  readonly form: 'histogram' | 'box' | 'scatter' | 'correlation';
  readonly columns: readonly ColumnRef[];
  readonly by: ColumnRef | null;
  readonly style: ChartStyle;
}

/** Rows as they are: filtered, sorted, the first few. */
export interface RowsPlan extends Tabular {
  readonly kind: 'rows';
  readonly sortBy: ColumnRef | null;
  readonly order: 'asc' | 'desc';
  readonly count: number;
  readonly part: 'head' | 'tail' | 'matching' | 'random';
}

export interface ProfilePlan {
  readonly kind: 'profile';
  readonly form: 'describe' | 'missing' | 'duplicates' | 'schema';
  readonly tables: readonly TableRef[];
}

export interface ConvertPlan {
  readonly kind: 'convert';
  readonly file: string;
  readonly tables: readonly TableRef[];
  readonly format: 'csv' | 'xlsx' | 'json';
  /** Also trim, drop empty and repeated rows. */
  readonly clean: boolean;
}

export interface MediaPlan {
  readonly kind: 'video' | 'gif';
  readonly files: readonly string[];
  readonly shuffle: boolean;
  readonly seed: number;
  readonly secondsPerPicture: number;
  readonly framesPerSecond: number;
  /** The input is one animation whose frames keep their own times. */
  readonly animation: boolean;
}

export interface PalettePlan {
  readonly kind: 'palette';
  readonly file: string;
  readonly colours: number;
}

export interface TextPlan {
  readonly kind: 'text';
  readonly file: string;
  readonly from: 'pdf' | 'image';
}

export interface ListingPlan {
  readonly kind: 'listing';
  readonly file: string;
}

export interface QrPlan {
  readonly kind: 'qr';
  readonly text: string;
}

/** Nothing to run: a greeting, a request for a file, a question that was not understood. */
export interface TalkPlan {
  readonly kind: 'talk';
  readonly text: string;
}

export type RunPlan =
  | AnalysisPlan
  | ColumnsPlan
  | RowsPlan
  | ProfilePlan
  | ConvertPlan
  | MediaPlan
  | PalettePlan
  | TextPlan
  | ListingPlan
  | QrPlan;

export type Plan = RunPlan | TalkPlan;
