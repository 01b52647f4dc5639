import type { ChartStyle, ChartType, Sort } from './plan.ts';
import { unusedWords } from './mentions.ts';
import { blank } from './words.ts';

/** How a chart shall look, as far as the text says; what is said is blanked out of the rest. */

export interface StyleReading {
  readonly style: Partial<ChartStyle>;
  /** The text without the words that were understood here. */
  readonly rest: string;
  /** The text without a title: its words are no part of the question. */
  readonly withoutTitle: string;
  /** `as a table`, `in numbers`: no chart at all. */
  readonly asTable: boolean;
  /** `as percentage`, `in percent of the total`. */
  readonly asShare: boolean;
}

const chartWords: readonly (readonly [RegExp, ChartType])[] = [
  [/\b(?:heat\s?-?maps?)\b/i, 'heatmap'],
  [/\bhistograms?\b|\bdistributions?\b|\bhow\b.{0,40}\bdistributed\b/i, 'histogram'],
  [/\bbox\s?-?(?:plots?|charts?|and whiskers?)\b|\bboxes\b/i, 'box'],
  [/\bscatter(?:\s?-?(?:plots?|charts?|graphs?|diagrams?))?\b/i, 'scatter'],
  [/\b(?:pie|donut|doughnut)s?(?:\s?-?(?:charts?|graphs?|diagrams?|plots?))?\b/i, 'pie'],
  [/\barea\s?-?(?:charts?|graphs?|plots?)\b/i, 'area'],
  [
    /\b(?:bars?|columns?)\s?-?(?:charts?|graphs?|plots?|diagrams?)\b|\bbars\b|\b(?:as|a|into|to|make it|use)\s+(?:an?\s+)?(?:bar|columns)\b/i,
    'bar',
  ],
  [/\blines?\s?-?(?:charts?|graphs?|plots?|diagrams?)\b|\b(?:as|a|into|to|make it|use)\s+(?:an?\s+)?lines?\b/i, 'line'],
];

const sortWords: readonly (readonly [RegExp, Sort])[] = [
  [
    /\b(?:sort(?:ed)?|order(?:ed)?)?\s*(?:it|them|bars)?\s*(?:by|in)?\s*(?:reverse alphabetical(?:ly)?(?: order)?|from z to a|z\s?-\s?a)\b/i,
    'name-desc',
  ],
  [
    /\b(?:sort(?:ed)?|order(?:ed)?)?\s*(?:it|them|bars)?\s*(?:by name|(?:in )?alphabetical(?:ly)?(?: order)?|from a to z|a\s?-\s?z)\b/i,
    'name-asc',
  ],
  [
    /\b(?:sort(?:ed)?|order(?:ed)?)\s*(?:it|them|the bars|bars)?\s*(?:by|in)\s+(?:time|date|month|year|week|day|quarter)(?: order)?\b|\bchronological(?:ly)?(?: order)?\b/i,
    'time',
  ],
  [
    /\b(?:sort(?:ed)?|order(?:ed)?|rank(?:ed)?)?\s*(?:it|them|the bars|bars)?\s*(?:by (?:value|size|amount)\s*)?,?\s*(?:in )?(?:ascending(?:ly)?|asc|increasing(?:ly)?|(?:smallest|lowest) (?:first|to (?:largest|highest|biggest))|from (?:small|low)\w* to (?:large|high|big)\w*)(?: order)?\b/i,
    'value-asc',
  ],
  [
    /\b(?:sort(?:ed)?|order(?:ed)?|rank(?:ed)?)?\s*(?:it|them|the bars|bars)?\s*(?:by (?:value|size|amount)\s*)?,?\s*(?:in )?(?:descending(?:ly)?|desc|decreasing(?:ly)?|(?:largest|highest|biggest) (?:first|to (?:smallest|lowest))|from (?:large|high|big)\w* to (?:small|low)\w*)(?: order)?\b/i,
    'value-desc',
  ],
  [
    /\b(?:sorted|sort|ordered|ranked|order (?=it|them|by|the bars))\b\s*(?:it|them|the bars|bars)?(?:\s*by (?:value|size|amount|height)\b|\s*by\b)?/i,
    'value-desc',
  ],
];

const colourNames =
  'red|green|blue|orange|purple|violet|yellow|black|grey|gray|pink|brown|teal|cyan|magenta|navy|gold|olive|maroon|turquoise|salmon|coral|indigo|lime|steelblue|crimson|' +
  '(?:dark|light)\\s?(?:red|green|blue|orange|grey|gray|pink|cyan)';

/** What opens the next wish behind a title without quotation marks: "title Prices and log scale". */
const styleStart =
  '(?:(?:an?|the|with|without|no|make|use|add|show|in)\\s+)*(?:(?:it|them)\\s+)?(?:log|logarithmic|linear|(?:data |value )?labels?|legend|grid|sort(?:ed)?|horizontal(?:ly)?|vertical(?:ly)?|stacked|bigger|larger|descending|ascending)|' +
  '(?:as|into|make it|make them)\\s+(?:an?\\s+)?(?:bars?|columns|lines?|pie|area|heat\\s?map|percent(?:age)?)|' +
  `(?:(?:make|colou?r)\\s+(?:it|them)|in|use)\\s+(?:${colourNames})`;

/** `quick`: the text may be no more than a wish about the last chart, so bare words such as `red` or `line` count too. */
export function readStyle(text: string, quick: boolean): StyleReading {
  const style: { -readonly [Key in keyof ChartStyle]?: ChartStyle[Key] } = {};
  let rest = text;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest);
    if (match !== null) rest = blank(rest, match.index, match.index + match[0].length);
    return match;
  };

  const quoted = take(
    /(?:,?\s*\b(?:and|with|set|change|give it|make)\b)?\s*(?:the\s+|a\s+)?\b(?:title|titled|entitled|headline|call(?:ed)? it|named)\b(?:\s+(?:it|to|is|as|of))*\s*[:=]?\s*["“”'‘’«]([^"“”‘’»]+?)["“”'’»](?=\s|$|[.,;!])/i,
  );
  const open =
    quoted ??
    take(
      new RegExp(
        `\\b(?:(?:set|change|make|with|and)\\s+)?(?:the\\s+|a\\s+)?(?:title|titled|entitled)\\b(?:\\s+(?:it|to|is))*\\s*[:=]?\\s+(?!by\\b)([^,;.\\s][^,;.]+?)(?=\\s*$|\\s*[,;]|\\s*\\.(?:\\s|$)|\\s+(?:and|with|but|then)\\s+(?:${styleStart})\\b)`,
        'i',
      ),
    );
  if (open?.[1] !== undefined) style.title = open[1].trim();
  const withoutTitle = rest;

  const colour = take(
    new RegExp(
      `#(?:[0-9a-f]{6}|[0-9a-f]{3})\\b|\\b(?:in|colou?r(?:ed)?(?:\\s+(?:it|them|the \\w+))?(?:\\s+(?:in|to))?|make (?:it|them)|use)\\s+(${colourNames})\\b`,
      'i',
    ),
  );
  const bare = colour ?? (quick ? take(new RegExp(`\\b(${colourNames})\\b`, 'i')) : null);
  if (bare !== null) {
    style.colour = (bare[1] ?? bare[0]).toLowerCase().replace(/\s+/g, '');
    take(/\b(?:in|colou?r(?:ed)?|use)\s*$/i);
  }
  if (
    take(
      /\b(?:in\s+)?(?:different|many|several|various|multiple|distinct|own)\s+colou?rs\b|\bcolou?rful\b|\bcolou?r each\b|\bmulti-?colou?red\b/i,
    )
  )
    style.manyColours = true;

  if (take(/\b(?:without|no|hide|remove|drop|turn off)\s+(?:the\s+|any\s+)?legends?\b|\blegend off\b/i))
    style.legend = false;
  else if (take(/\b(?:with|show|add)\s+(?:a\s+|the\s+)?legend\b|\blegend on\b/i)) style.legend = true;
  if (
    take(
      /\b(?:without|no|hide|remove|turn off|drop)\s+(?:the\s+|any\s+)?grid(?:\s?lines)?\b|\bgrid(?:\s?lines)? off\b/i,
    )
  )
    style.grid = false;
  else if (take(/\b(?:with|show|add)\s+(?:a\s+|the\s+)?grid(?:\s?lines)?\b|\bgrid(?:\s?lines)? on\b/i))
    style.grid = true;
  if (take(/\b(?:without|no|hide|remove|drop)\s+(?:the\s+|any\s+)?(?:data |value )?labels\b|\blabels off\b/i))
    style.labels = false;
  else if (
    take(
      /\b(?:(?:and|with|add|show|put)\s+)*(?:the\s+)?(?:(?:data|value|number)s?\s+)?(?:labels?|numbers? on (?:it|top|the bars|them)|labelled|labeled|values? on (?:it|top|the bars|them|each bar))\b(?:\s+on (?:it|top|the bars|them|each bar))?/i,
    )
  )
    style.labels = true;
  if (take(/\b(?:linear|no log(?:arithmic)?|without log(?:arithmic)?)(?:\s+(?:scale|axis))?\b/i))
    style.logScale = false;
  else if (take(/\b(?:(?:in|on|with|use|using)\s+)?(?:an?\s+)?log(?:arithmic)?(?:\s?-?(?:scaled?|axis|y-?axis))?\b/i))
    style.logScale = true;

  if (take(/\b(?:un-?stacked?|side by side|not stacked|grouped bars?)\b/i)) style.stacked = false;
  else if (take(/\bstack(?:ed)?(?:\s+(?:it|them))?\b/i)) style.stacked = true;
  if (take(/\b(?:horizontal(?:ly)?|sideways)\b/i)) style.horizontal = true;
  else if (take(/\b(?:vertical(?:ly)?|upright)\b/i)) style.horizontal = false;
  if (take(/\b(?:bigger|larger)(?:\s+(?:chart|font|text|please))?\b(?!\s+than)/i)) style.bigger = true;
  const asShare =
    take(
      /\b(?:as|in|show)\s+(?:a\s+|the\s+)?(?:percentages?|percent|shares?|%|proportions?)(?:\s+of(?:\s+the)?\s+(?:total|whole))?(?!\s*\w)|\bin %|\bas %/i,
    ) !== null;

  for (const [pattern, sort] of sortWords) {
    if (style.sort === undefined && take(pattern) !== null) style.sort = sort;
  }
  if (style.horizontal !== undefined && take(/\bbars?\b/i)) style.type = 'bar';
  for (const [pattern, type] of chartWords) {
    if (style.type === undefined && take(pattern) !== null) style.type = type;
  }
  if (quick && style.type === undefined) {
    const word = take(/\b(bars?|columns|lines?|pies?|areas?)\b/i)?.[1]?.toLowerCase();
    if (word !== undefined)
      style.type = word.startsWith('bar') || word === 'columns' ? 'bar' : (word.replace(/s$/, '') as ChartType);
  }
  if (style.stacked === true && style.type === undefined && take(/\bbars?\b/i)) style.type = 'bar';
  const asTable =
    style.type === undefined &&
    take(
      /\b(?:as|in|into|to|just|only|give me|show)\s+(?:an?\s+|the\s+)?(?:tables?|numbers|figures as a table|list)\b|\btable (?:please|instead|only)\b|\bno chart\b/i,
    ) !== null;
  return { style, rest, withoutTitle, asTable, asShare };
}

/** The text held nothing but wishes about the look: what is left are filler words. */
export function isOnlyStyle(reading: StyleReading): boolean {
  const said = Object.keys(reading.style).length > 0 || reading.asTable || reading.asShare;
  return (
    said &&
    unusedWords(reading.rest).length === 0 &&
    !/\d/.test(reading.rest) &&
    !/\b(?:by|per|for|where|total|average|mean|how many)\b\s*\S/i.test(reading.rest)
  );
}
