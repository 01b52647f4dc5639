import type { FileCard } from '../../types.ts';
import type { Files } from './cards.ts';
import type {
  ConvertPlan,
  ListingPlan,
  MediaPlan,
  PalettePlan,
  ProfilePlan,
  QrPlan,
  RunPlan,
  TableRef,
  TextPlan,
} from './plan.ts';
import { normalise } from './words.ts';

/** Questions about files as a whole: media, text, conversion, and what a table looks like. `null`: the text asks for none of it. */

export function readFileTask(question: string, files: Files): RunPlan | null {
  const charting = /\b(?:chart|plot|graph|histogram|scatter|heat\s?map|by month|over time)\b/i.test(question);
  return (
    readQr(question) ??
    readMedia(question, files) ??
    readPalette(question, files) ??
    readText(question, files) ??
    readListing(question, files) ??
    (charting ? null : (readConvert(question, files) ?? readProfile(question, files)))
  );
}

export function readQr(question: string): QrPlan | null {
  if (!/\bqr\b/i.test(question)) return null;
  const quoted = /["“”'‘«]([^"“”'’»]+)["“”'’»]/.exec(question)?.[1];
  const url = /\b(?:https?:\/\/|mailto:|tel:|www\.)\S+/i.exec(question)?.[0].replace(/[.,;!?)>]+$/, '');
  const said =
    /\bqr\b(?:[\s-]*codes?)?(?:\s+(?:image|picture|png))?\s*(?:that says|with the text|with|for|of|to|from|saying|containing|:)+\s*(?:the\s+(?:text|link|url)\s*)?:?\s*(.+?)\s*$/is.exec(
      question,
    )?.[1];
  const text = quoted ?? url ?? said;
  return text === undefined || text.trim() === '' ? null : { kind: 'qr', text: text.trim().slice(0, 2000) };
}

const isPicture = (card: FileCard): boolean =>
  card.kind === 'image' || /\.(?:png|jpe?g|gif|webp|bmp|tiff?)$/i.test(card.file);
const isZip = (card: FileCard): boolean => card.kind === 'zip' || /\.zip$/i.test(card.file);
const isPdf = (card: FileCard): boolean => card.kind === 'pdf' || /\.pdf$/i.test(card.file);

/** Files of the newest message first; those of earlier messages when it has none of the kind. */
function pick(files: Files, fits: (card: FileCard) => boolean, question: string): readonly FileCard[] {
  const newest = files.newest.filter(fits);
  const candidates = newest.length > 0 ? newest : files.cards.filter(fits);
  const named = candidates.filter((card) => normalise(question).includes(normalise(card.file)));
  return named.length > 0 ? named : candidates;
}

function readMedia(question: string, files: Files): MediaPlan | null {
  const video = /\b(?:video|movie|film|clip|mp4)\b/i.test(question);
  const gif = /\b(?:animated gif|gif|animation)\b/i.test(question);
  const shuffle = /\b(?:shuffled?|random(?:ly|ise|ize)?(?: order)?|mix(?:ed)? (?:them )?up)\b/i.test(question);
  const slides = /\bslide\s?show\b|\btime\s?-?lapse\b/i.test(question);
  if (!video && !gif && !slides) return null;
  const zips = pick(files, isZip, question);
  const pictures = pick(files, isPicture, question);
  const chosen = zips.length > 0 ? zips : pictures;
  if (chosen.length === 0) return null;
  const animation = zips.length === 0 && chosen.length === 1 && /\.gif$/i.test(chosen[0]?.file ?? '');
  const seconds = /(\d+(?:\.\d+)?)\s*(?:s|sec|secs|seconds?)\b/i.exec(question)?.[1];
  const frames = /(\d+)\s*(?:fps|frames? (?:per|a) second)\b/i.exec(question)?.[1];
  const seed = /\bseed\s*(?:=|:|of|is)?\s*(\d{1,9})\b/i.exec(question)?.[1];
  return {
    kind: gif && !video && !animation ? 'gif' : 'video',
    files: chosen.map((card) => card.file),
    shuffle,
    seed: Number(seed ?? 7),
    secondsPerPicture: Math.min(60, Math.max(0.1, Number(seconds ?? 1))),
    framesPerSecond: Math.min(60, Math.max(1, Number(frames ?? 24))),
    animation,
  };
}

function readPalette(question: string, files: Files): PalettePlan | null {
  const asks =
    /\b(?:palette|(?:main|dominant|common|which|what|the)\s+colou?rs|colou?rs? (?:of|in|from|scheme))\b/i.test(
      question,
    );
  const picture = pick(files, isPicture, question)[0];
  if (!asks || picture === undefined) return null;
  const size = Number(/\b(\d{1,2})\s+(?:\w+\s+)?colou?rs\b/i.exec(question)?.[1] ?? 6);
  return { kind: 'palette', file: picture.file, colours: Math.min(16, Math.max(2, size)) };
}

function readText(question: string, files: Files): TextPlan | null {
  const asks = /\b(?:text|ocr|read|extract|transcribe|words?|say|says|written|content)\b/i.test(question);
  if (!asks) return null;
  const pdf = pick(files, isPdf, question)[0];
  if (pdf !== undefined) return { kind: 'text', file: pdf.file, from: 'pdf' };
  const picture = pick(files, isPicture, question)[0];
  return picture === undefined ? null : { kind: 'text', file: picture.file, from: 'image' };
}

function readListing(question: string, files: Files): ListingPlan | null {
  const zip = pick(files, isZip, question)[0];
  const asks =
    /\b(?:list|what(?:'s| is)? (?:in|inside)|contents?|which files|show (?:the )?files|files? (?:in|inside)|unzip|describe|summari[sz]e)\b/i.test(
      question,
    );
  return zip !== undefined && asks && zip.tables.length === 0 ? { kind: 'listing', file: zip.file } : null;
}

const formats: readonly (readonly [RegExp, ConvertPlan['format']])[] = [
  [/\b(?:to|into|as|in|an?)\s+(?:an?\s+|the\s+)?(?:csv|comma)\b/i, 'csv'],
  [/\b(?:to|into|as|in|an?)\s+(?:an?\s+|the\s+)?(?:excel|xlsx|workbook|spreadsheet)\b/i, 'xlsx'],
  [/\b(?:to|into|as|in|an?)\s+(?:an?\s+|the\s+)?json\b/i, 'json'],
];

function readConvert(question: string, files: Files): ConvertPlan | null {
  const clean = /\bclean(?:ed|ing|se|sed)?(?:\s?up)?\b|\btidy(?:\s(?:it|up))?\b/i.test(question);
  const asks = /\b(?:convert|export|save|turn|transform|change|download|give|make|as|to|into)\b/i.test(question);
  const format =
    formats.find(([pattern]) => pattern.test(question))?.[1] ?? (/\bconvert\b/i.test(question) ? 'other' : undefined);
  if (!clean && (format === undefined || !asks)) return null;
  if (!clean && /\b(?:by|per|top|total|average|chart)\b/i.test(question)) return null;
  const tabular = pick(files, (card) => card.tables.length > 0, question)[0];
  if (tabular === undefined) return null;
  const isText = tabular.kind === 'csv' || /\.(?:csv|tsv|txt)$/i.test(tabular.file);
  const target =
    format === 'other' || format === undefined ? (clean ? (isText ? 'csv' : 'xlsx') : isText ? 'xlsx' : 'csv') : format;
  return { kind: 'convert', file: tabular.file, tables: tablesOf(files, [tabular]), format: target, clean };
}

function tablesOf(files: Files, cards: readonly FileCard[]): readonly TableRef[] {
  return files.tables
    .filter(({ ref }) => cards.some((card) => card.file === ref.file))
    .map(({ ref }) => ({ ...ref, wide: null }));
}

function readProfile(question: string, files: Files): ProfilePlan | null {
  const cards = pick(files, (card) => card.tables.length > 0, question);
  if (cards.length === 0) return null;
  const make = (form: ProfilePlan['form']): ProfilePlan => ({
    kind: 'profile',
    form,
    tables: tablesOf(files, cards).slice(0, 12),
  });
  if (
    /\b(?:missing|null|nan|empty|blank|incomplete)s?\b.*\b(?:values?|cells?|data|entries|fields?)?\b|\bgaps\b|\bnulls\b/i.test(
      question,
    ) &&
    !/\bby\b/i.test(question)
  )
    return make('missing');
  if (/\bduplicat\w*|\brepeated rows?\b/i.test(question)) return make('duplicates');
  if (
    /\b(?:which|what|show|list)\b.{0,30}\b(?:columns|fields|headers?|variables)\b|\bcolumn (?:names|types)\b|\bdata ?types\b|\bschema\b|\bhow many (?:columns|rows and columns)\b|\bwhich (?:sheets|tables)\b|\b(?:list|show)\b.{0,12}\b(?:sheets|tables)\b/i.test(
      question,
    )
  )
    return make('schema');
  if (/^\W*(?:and\s+)?(?:what|how) about\b/i.test(question)) return null;
  const describe =
    /\b(?:describe|summari[sz]e|summary|overview|profile|key findings|insights?|analy[sz]e)\b/i.test(question) ||
    (/\bwhat(?:'s| is| does)?\b.{0,20}\b(?:in|about|inside|contain)\b.{0,25}\b(?:this|the|it|file|data|sheet|table)?\b/i.test(
      question,
    ) &&
      !/\b(?:share|total|average|median|trend|percentage|highest|most|price|in\s+\d)/i.test(question)) ||
    /\btell me (?:something )?about\b|\bexplain (?:this|the|my) (?:file|data|table|sheet)|^\s*(?:describe|what is this|what's this)\b/i.test(
      question,
    );
  return describe && !/\b(?:by|per)\b\s+\w/i.test(question) ? make('describe') : null;
}
