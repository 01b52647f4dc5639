/** Words of questions and of headers in one comparable form: without case, accents, plurals, underscores and camel case. */

export interface Token {
  readonly text: string;
  /** Lower case, no accents. */
  readonly norm: string;
  /** `norm` without its plural ending: good for comparing, not for showing. */
  readonly stem: string;
  readonly start: number;
  readonly end: number;
}

export function normalise(text: string): string {
  return text.replace(/ß/g, 'ss').normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** `categories` and `category`, `boxes` and `box`, `sales` and `sale` become the same word; both sides are always stemmed. */
export function stemOf(norm: string): string {
  if (norm.length <= 3 || !norm.endsWith('s') || /(ss|us|is)$/.test(norm)) return norm;
  if (norm.endsWith('ies') && norm.length > 4) return `${norm.slice(0, -3)}y`;
  if (/(sses|shes|ches|xes|zes)$/.test(norm)) return norm.slice(0, -2);
  return norm.slice(0, -1);
}

const wordPattern = /\p{L}[\p{L}\p{M}\p{N}]*|\p{N}+(?:[.,]\p{N}+)*/gu;

/** Words and numbers with their places in the text. Underscores and punctuation separate. */
export function tokenise(text: string): readonly Token[] {
  return [...text.matchAll(wordPattern)].map((match) => {
    const norm = normalise(match[0]);
    return { text: match[0], norm, stem: stemOf(norm), start: match.index, end: match.index + match[0].length };
  });
}

/** Splits camelCase and snake_case headers into words, unit in brackets left out: `unitPrice (EUR)` is `unit price`. */
export function headerWords(name: string): readonly string[] {
  const bare = name.replace(/[([{][^)\]}]*[)\]}]/g, ' ');
  const spaced = (/\p{L}/u.test(bare) ? bare : name)
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/[_./-]+/g, ' ');
  return tokenise(spaced).map((token) => token.stem);
}

/** The header as a person would write it on an axis: `unit_price` is `Unit price`; what has spaces already stays as it is. */
export function readableName(name: string): string {
  const trimmed = name.trim();
  if (/\s/.test(trimmed) || /^\P{Ll}+$/u.test(trimmed)) return trimmed;
  const spaced = trimmed
    .replace(/(\p{Ll}|\p{N})(\p{Lu}\p{Ll})/gu, (_, left: string, right: string) => `${left} ${right.toLowerCase()}`)
    .replace(/_+/g, ' ')
    .trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Words that mean the same in headers, stemmed. Only where nobody would argue. */
const synonymGroups: readonly (readonly string[])[] = [
  ['revenue', 'sale', 'turnover', 'umsatz', 'umsatze', 'erlos'],
  ['quantity', 'qty', 'unit', 'menge', 'stuck', 'stuckzahl', 'piece'],
  ['price', 'preis', 'unitprice'],
  ['country', 'nation', 'land'],
  ['customer', 'client', 'kunde', 'kunden', 'buyer'],
  ['product', 'item', 'article', 'produkt', 'artikel', 'sku'],
  ['employee', 'staff', 'mitarbeiter'],
  ['salary', 'wage', 'pay', 'gehalt'],
  ['department', 'dept', 'abteilung'],
  ['city', 'town', 'stadt', 'ort'],
  ['date', 'datum', 'day'],
  ['year', 'jahr', 'yr'],
  ['month', 'monat'],
  ['category', 'kategorie'],
  ['amount', 'betrag'],
  ['profit', 'gewinn'],
  ['cost', 'kosten', 'expense'],
  ['order', 'bestellung', 'auftrag'],
  ['age', 'alter'],
  ['region', 'area'],
  ['channel', 'kanal'],
  ['temperature', 'temp', 'temperatur'],
  ['population', 'inhabitant', 'einwohner'],
];

const synonymOf = new Map(synonymGroups.flatMap((group) => group.map((word) => [word, group] as const)));

export function areSynonyms(left: string, right: string): boolean {
  return synonymOf.get(left)?.includes(right) ?? false;
}

/** How alike two stems are: 1 same, 0.85 synonym, 0.6 one typing slip in a word of five letters or more, else 0. */
export function likeness(left: string, right: string): number {
  if (left === right) return 1;
  if (areSynonyms(left, right)) return 0.85;
  if (Math.min(left.length, right.length) >= 5 && isOneSlip(left, right)) return 0.6;
  return 0;
}

/** One letter replaced, added, left out, or two neighbours swapped. */
export function isOneSlip(left: string, right: string): boolean {
  if (Math.abs(left.length - right.length) > 1 || left.charAt(0) !== right.charAt(0)) return false;
  let head = 0;
  while (head < left.length && left[head] === right[head]) head += 1;
  const [a, b] = [left.slice(head), right.slice(head)];
  if (a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1)) return true;
  return a.length > 1 && a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
}

const list = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter(Boolean));

/** Words that steer the question. A header matches them only together with another word, or when nothing else is left. */
export const steeringWords = list(`
  a an the this that these those it its them they i me my we our us you your one there here be is are was were been do does did
  has have had can could would should will shall may please thank thanks hi hey hello ok okay yes just also too very really
  and or but not no by per of on in at to from for with without as into onto over under above below between within against vs
  versus than then so if when where who what which how why while about each every all any some both same other only
  show give plot draw make create build tell find list get see display let want need use turn change put add remove compute
  calculate compare comparison break broken down split grouped group visualise visualize analyse analyze look like
  chart graph plot diagram line bar column histogram pie scatter box boxplot heat map heatmap table pivot picture figure image
  top bottom first last best worst most least highest lowest largest smallest biggest greatest fewest max min maximum minimum
  peak big small high low large more less fewer greater many much
  total sum average mean median count number avg typical overall altogether whole value amount percent percentage share
  proportion fraction ratio growth grow grew grown growing increase decrease change development trend evolution time
  correlation correlate correlated relationship distribution distributed spread outlier
  sort sorted ordered ascending descending asc desc alphabetical alphabetically chronological label labelled
  year month quarter week day weekday weekly monthly quarterly yearly annual annually daily date
  file data dataset sheet tab workbook spreadsheet row record entry field header csv excel xlsx
  summary summarise summarize describe overview profile missing empty blank null duplicate duplicated
  detail details example euro euros eur usd dollar dollars general particular addition form format style report
  pro je nach der die das dem den und im als
  now again instead too next still please ago since before after until through during
`);

export function isSteering(token: Token): boolean {
  return steeringWords.has(token.norm) || steeringWords.has(token.stem);
}

/** The text with a stretch blanked out, so that every other place keeps its position. */
export function blank(text: string, start: number, end: number): string {
  return text.slice(0, start) + ' '.repeat(end - start) + text.slice(end);
}

const multipliers: Readonly<Record<string, number>> = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  mio: 1e6,
  million: 1e6,
  bn: 1e9,
  b: 1e9,
  billion: 1e9,
};

/** A number as typed: `1,000`, `10k`, `2.5 million`, `$50`. `null` when it is none. */
export function parseNumber(text: string): number | null {
  const match =
    /^[$€£¥]?\s*(-?\d[\d,_ ]*(?:\.\d+)?)\s*(k|thousand|m|mio|million|bn|b|billion)?\s*(?:%|[$€£¥]|eur|usd|gbp|chf)?$/i.exec(
      text.trim(),
    );
  if (match?.[1] === undefined) return null;
  return Number(match[1].replace(/[,_ ]/g, '')) * (multipliers[match[2]?.toLowerCase() ?? ''] ?? 1);
}
