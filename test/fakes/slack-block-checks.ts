import { markdownProblems, mrkdwnProblems, plainProblems } from './slack-text-problems.ts';

/**
 * What Slack documents of each block. Sources: [types] = the comments of `@slack/types` 3.2, block-kit/*.d.ts; [page] = the block's
 * page on docs.slack.dev; [seen] = reports of users in the reference notes.
 */
export type Surface = 'message' | 'modal' | 'home';

type Fields = Readonly<Record<string, unknown>>;
type Report = (problem: string) => void;

const everywhere: readonly Surface[] = ['message', 'modal', 'home'];

/** By block type; what is not here is unknown to Slack, or to us. */
export const blockChecks: Readonly<
  Record<string, { readonly surfaces: readonly Surface[]; of(block: Fields, report: Report): void }>
> = {
  markdown: {
    surfaces: ['message'],
    of: ({ text }, report) => {
      string(text, 12_000, 'text', report);
      for (const problem of markdownProblems(String(text))) report(problem);
    },
  },
  section: {
    surfaces: everywhere,
    of: ({ text, fields }, report) => {
      if (text === undefined && fields === undefined) report('neither text nor fields');
      if (text !== undefined) textObject(text, 3000, 'text', report); // [types]
      list(fields ?? ['-'], 1, 10, 'fields', report); // [types]
      for (const field of arrayOf(fields)) textObject(field, 2000, 'a field', report);
    },
  },
  header: { surfaces: everywhere, of: ({ text }, report) => plainText(text, 150, 'text', report) },
  divider: { surfaces: everywhere, of: () => {} },
  context: {
    surfaces: everywhere,
    of: ({ elements }, report) => {
      list(elements, 1, 10, 'elements', report); // [types]
      for (const element of arrayOf(elements)) textObject(element, 3000, 'an element', report);
    },
  },
  actions: {
    surfaces: everywhere,
    of: ({ elements }, report) => {
      list(elements, 1, 25, 'elements', report); // [types]
      for (const element of arrayOf(elements)) button(fieldsOf(element), report);
    },
  },
  context_actions: {
    surfaces: ['message'],
    of: ({ elements }, report) => {
      list(elements, 1, 5, 'elements', report); // [page]
      for (const element of arrayOf(elements)) feedback(fieldsOf(element), report);
    },
  },
  image: {
    surfaces: everywhere,
    of: (block, report) => {
      string(block['alt_text'], 2000, 'alt_text', report); // [types]
      for (const problem of plainProblems(String(block['alt_text']))) report(problem);
      if (block['title'] !== undefined) plainText(block['title'], 2000, 'title', report);
      const { id, url } = fieldsOf(block['slack_file']);
      const sources = [block['image_url'], id, url].filter((source) => typeof source === 'string' && source !== '');
      if (sources.length !== 1) report(`${sources.length} sources, exactly one is taken`); // [page] slack file object
    },
  },
  rich_text: { surfaces: everywhere, of: richText },
  data_table: { surfaces: ['message'], of: dataTable },
  data_visualization: { surfaces: ['message'], of: dataVisualization },
  input: {
    surfaces: ['modal', 'home'],
    of: ({ label, hint, element }, report) => {
      plainText(label, 2000, 'label', report); // [types]
      if (hint !== undefined) plainText(hint, 2000, 'hint', report);
      const { type, placeholder, max_length: maxLength } = fieldsOf(element);
      if (type !== 'plain_text_input') report(`an unknown element ${String(type)}`);
      if (placeholder !== undefined) plainText(placeholder, 150, 'placeholder', report); // [types]
      if (maxLength !== undefined && !within(maxLength, 1, 3000)) report('max_length is not 1 to 3000');
    },
  },
};

function button(element: Fields, report: Report): void {
  if (element['type'] !== 'button') return report(`an unknown element ${String(element['type'])}`);
  plainText(element['text'], 75, 'a button', report); // [types]
  if (element['value'] !== undefined) string(element['value'], 2000, 'a value', report); // [types]
  if (element['url'] !== undefined) string(element['url'], 3000, 'a url', report);
  if (!['primary', 'danger', undefined].includes(element['style'] as string)) report('an unknown style');
  if (element['confirm'] === undefined) return;
  const confirm = fieldsOf(element['confirm']);
  // [page] confirmation dialog
  plainText(confirm['title'], 100, 'confirm.title', report);
  textObject(confirm['text'], 300, 'confirm.text', report);
  plainText(confirm['confirm'], 30, 'confirm.confirm', report);
  plainText(confirm['deny'], 30, 'confirm.deny', report);
}

function feedback(element: Fields, report: Report): void {
  if (element['type'] !== 'feedback_buttons') return report(`an unknown element ${String(element['type'])}`);
  for (const name of ['positive_button', 'negative_button']) {
    const { text, value, accessibility_label: label } = fieldsOf(element[name]);
    plainText(text, 75, name, report); // [types]
    string(value, 2000, `${name}.value`, report);
    if (label !== undefined) string(label, 75, `${name}.accessibility_label`, report); // [types]
  }
}

function richText({ elements }: Fields, report: Report): void {
  list(elements, 1, 100, 'elements', report);
  for (const element of arrayOf(elements).map(fieldsOf)) {
    if (element['type'] !== 'rich_text_preformatted' && element['type'] !== 'rich_text_section') {
      report(`an unknown element ${String(element['type'])}`);
    }
    list(element['elements'], 1, 100, 'texts', report);
    for (const part of arrayOf(element['elements']).map(fieldsOf)) {
      if (part['type'] !== 'text') report(`a rich text of type ${String(part['type'])}`);
      string(part['text'], 12_000, 'a text', report);
      for (const problem of plainProblems(String(part['text']))) report(problem);
    }
  }
}

function dataTable({ rows, caption, page_size: pageSize }: Fields, report: Report): void {
  // [page] data table
  list(rows, 2, 101, 'rows', report);
  string(caption, 3000, 'caption', report);
  if (pageSize !== undefined && !within(pageSize, 1, 100)) report('page_size is not 1 to 100');
  const lengths = new Set(arrayOf(rows).map((row) => arrayOf(row).length));
  if (lengths.size > 1) report('rows of different lengths');
  if ([...lengths].some((length) => length < 1 || length > 20)) report('not 1 to 20 columns');
  for (const [index, row] of arrayOf(rows).entries()) {
    for (const cell of arrayOf(row).map(fieldsOf)) {
      const isNumber = cell['type'] === 'raw_number' && index > 0;
      if (!isNumber && cell['type'] !== 'raw_text') report(`a cell of type ${String(cell['type'])}`);
      if (isNumber && !Number.isFinite(cell['value'])) report('a number that is none');
      if (typeof cell['text'] !== 'string' || cell['text'] === '') report('an empty cell');
      for (const problem of plainProblems(String(cell['text']))) report(problem);
    }
  }
}

function dataVisualization({ title, chart }: Fields, report: Report): void {
  // [page] data visualization
  string(title, 50, 'title', report);
  const { type, segments, series, axis_config: axisConfig } = fieldsOf(chart);
  if (type === 'pie') {
    list(segments, 1, 6, 'segments', report);
    points(segments, null, report);
    if (arrayOf(segments).some((segment) => !(Number(fieldsOf(segment)['value']) > 0)))
      report('a value that is not above 0');
    return;
  }
  if (!['bar', 'line', 'area'].includes(String(type))) report(`an unknown chart ${String(type)}`);
  const { categories, x_label: xLabel, y_label: yLabel } = fieldsOf(axisConfig);
  list(categories, 1, 20, 'categories', report);
  if (xLabel !== undefined) string(xLabel, 50, 'x_label', report);
  if (yLabel !== undefined) string(yLabel, 50, 'y_label', report);
  list(series, 1, 6, 'series', report);
  const names = arrayOf(series).map((entry) => fieldsOf(entry)['name']);
  if (new Set(names).size < names.length) report('two series with the same name');
  for (const entry of arrayOf(series).map(fieldsOf)) {
    string(entry['name'], 20, 'a series name', report);
    points(entry['data'], arrayOf(categories), report);
  }
}

function points(data: unknown, categories: readonly unknown[] | null, report: Report): void {
  const labels = arrayOf(data).map((point) => fieldsOf(point)['label']);
  for (const label of labels) string(label, 20, 'a label', report);
  if (new Set(labels).size < labels.length) report('a label twice');
  if (arrayOf(data).some((point) => !Number.isFinite(fieldsOf(point)['value']))) report('a value that is no number');
  if (categories !== null && JSON.stringify(labels) !== JSON.stringify(categories))
    report('not one value for each category');
}

/** action_ids are unique in their block, at most 255 characters, and required for whatever can be pressed here. */
export function actionIds(block: unknown, report: Report): void {
  const fields = fieldsOf(block);
  const elements = [...arrayOf(fields['elements']), fields['element']].map(fieldsOf);
  const interactive = elements.filter(({ type }) =>
    ['button', 'feedback_buttons', 'plain_text_input'].includes(String(type)),
  );
  const ids = interactive.map((element) => element['action_id']);
  for (const id of ids) string(id, 255, 'action_id', report);
  if (new Set(ids).size < ids.length) report('an action_id twice');
}

function textObject(value: unknown, maxCharacters: number, name: string, report: Report): void {
  const { type, text } = fieldsOf(value);
  if (type === 'plain_text') return plainText(value, maxCharacters, name, report);
  if (type !== 'mrkdwn') return report(`${name}: not a text object`);
  string(text, maxCharacters, name, report);
  for (const problem of mrkdwnProblems(String(text))) report(`${name}: ${problem}`);
}

export function plainText(value: unknown, maxCharacters: number, name: string, report: Report): void {
  const { type, text } = fieldsOf(value);
  if (type !== 'plain_text') return report(`${name}: not plain_text`);
  string(text, maxCharacters, name, report);
  for (const problem of plainProblems(String(text))) report(`${name}: ${problem}`);
}

export function string(value: unknown, maxCharacters: number, name: string, report: Report): void {
  if (typeof value !== 'string') return report(`${name}: not a text`);
  if (value.trim() === '') report(`${name}: empty`);
  if (value.length > maxCharacters) report(`${name}: ${value.length} characters, at most ${maxCharacters}`);
}

function list(value: unknown, min: number, max: number, name: string, report: Report): void {
  if (!Array.isArray(value)) return report(`${name}: not a list`);
  if (value.length < min || value.length > max) report(`${name}: ${value.length} entries, ${min} to ${max}`);
}

function within(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
