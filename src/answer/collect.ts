import mime from 'mime';
import { toAppError } from '../errors.ts';
import type { Blobs, Bytes } from '../ports/blobs.ts';
import type { SandboxSession } from '../ports/sandbox.ts';
import { chartMime, tableMime, tablePictureMime } from '../types.ts';
import type {
  Artifact,
  ChartData,
  Execution,
  FormulaCells,
  JsonValue,
  MimeBundle,
  StoredFile,
  TableData,
} from '../types.ts';
import { parseChartData } from './chart-data.ts';
import { fileNameFor, pictureNameFor, safeFileName } from './file-names.ts';
import { parseFormulaCells } from './formulas.ts';
import { megabytes } from './size-text.ts';

/** `plotline.show(object, title=…, alt=…)` marks a bundle for the reply with this. */
const showMime = 'application/vnd.plotline.show+json';

/** Files of the working directory that a displayed or closed chart was saved to: `{"files": ["chart.png"]}`. */
const savedMime = 'application/vnd.plotline.saved+json';

/** Beside a table's CSV: which of its cells a spreadsheet program would run. */
const formulasMime = 'application/vnd.plotline.formulas+json';

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const tablePictureBytes = 2 * 1024 * 1024;

const pictureTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** What one cell left behind that could go out. Whether it does is decided when the task is over. */
export interface CellArtifact {
  readonly artifact: Artifact;
  /** For files: their path in the working directory, by which a later cell replaces or removes them. */
  readonly path: string | null;
  /** The code asked for it to be shown, by `plotline.show`. */
  readonly marked: boolean;
  /** CSV and Excel files: what a spreadsheet program would run of it. */
  readonly formulas: FormulaCells | null;
}

export interface CollectLimits {
  readonly fileBytes: number;
  /** Over all files of one cell. */
  readonly filesBytes: number;
}

/**
 * Moves everything a cell showed or wrote into the blob store, at once, because the container may be gone a moment later.
 * `notices` name what could not be kept, each with its reason.
 */
export async function collectArtifacts(
  title: string,
  execution: Execution,
  session: SandboxSession,
  blobs: Blobs,
  limits: CollectLimits,
  signal: AbortSignal,
): Promise<{ readonly artifacts: readonly CellArtifact[]; readonly notices: readonly string[] }> {
  const files = await collectFiles(execution.files, session, blobs, limits, signal);
  const fallbackTitle = firstText(...execution.results.map((bundle) => chartOf(bundle)?.title), title);
  const described = new Map<string, CellArtifact>();
  const displayed: CellArtifact[] = [];
  for (const bundle of execution.results) {
    const saved = savedPicture(bundle, files.artifacts);
    const file = saved === null ? null : withDescription(saved, bundle, title);
    if (file !== null) described.set(file.path ?? '', file);
    for (const part of displayedParts(bundle, tableMime in bundle ? fallbackTitle : title)) {
      // The same chart as a file: one of the two is enough, and the file is the one that was asked for by name.
      if (file !== null && part.artifact.kind === 'chart') continue;
      const stored = await blobs.put(once(part.bytes), { maxBytes: limits.fileBytes });
      const picture = part.picture === null ? {} : { picture: await keptPicture(part.picture, part.file.name, blobs) };
      const artifact = { ...part.artifact, file: { ...part.file, ...stored }, ...picture };
      const formulas = part.artifact.kind === 'table' ? parseFormulaCells(bundle[formulasMime]) : null;
      displayed.push({ artifact, path: null, marked: showMime in bundle, formulas });
    }
  }
  const written = files.artifacts.map((entry) => described.get(entry.path ?? '') ?? entry);
  return { artifacts: [...displayed, ...written], notices: files.notices };
}

async function collectFiles(
  outputs: Execution['files'],
  session: SandboxSession,
  blobs: Blobs,
  limits: CollectLimits,
  signal: AbortSignal,
): Promise<{ readonly artifacts: readonly CellArtifact[]; readonly notices: readonly string[] }> {
  const artifacts: CellArtifact[] = [];
  const notices: string[] = [];
  let budgetBytes = limits.filesBytes;
  for (const [index, { path, sizeBytes, formulas }] of outputs.entries()) {
    const tooLarge = whyTooLarge(sizeBytes, budgetBytes, limits);
    if (tooLarge !== null) {
      notices.push(`\`${path}\` was left in the sandbox: ${tooLarge}`);
      continue;
    }
    try {
      const stored = await blobs.put(session.read(path, { maxBytes: sizeBytes, signal }), { maxBytes: sizeBytes });
      budgetBytes -= stored.sizeBytes;
      artifacts.push({ artifact: fileArtifact(path, stored), path, marked: false, formulas });
    } catch (error) {
      const left = outputs.length - index;
      if (signal.aborted || !session.alive) {
        const why = signal.aborted ? 'this took too long' : 'the sandbox ended';
        notices.push(`${left} ${left === 1 ? 'file' : 'files'} could not be taken out of the sandbox: ${why}.`);
        break;
      }
      const failure = toAppError(error);
      // It was announced with this size: code that the cell left running has made it longer since.
      const reason = failure.code === 'file-too-large' ? 'it grew meanwhile. Ask for it again.' : failure.userMessage;
      notices.push(`\`${path}\` could not be taken out of the sandbox: ${reason}`);
    }
  }
  return { artifacts, notices };
}

function whyTooLarge(sizeBytes: number, budgetBytes: number, limits: CollectLimits): string | null {
  if (sizeBytes > limits.fileBytes) {
    return `it has ${megabytes(sizeBytes)}, and one file may have ${megabytes(limits.fileBytes)}. Ask for a part of it, or for a zip.`;
  }
  if (sizeBytes > budgetBytes) {
    return `the files of one step may have ${megabytes(limits.filesBytes)} in all. Ask for it on its own.`;
  }
  return null;
}

/** The one picture file that the bundle's chart was saved to; `null` where there is none, or several that may differ. */
function savedPicture(bundle: MimeBundle, files: readonly CellArtifact[]): CellArtifact | null {
  const saved = (bundle[savedMime] ?? null) as { readonly files?: readonly string[] } | null;
  const found = files.filter(({ path, artifact }) => artifact.kind === 'chart' && saved?.files?.includes(path ?? ''));
  return found.length === 1 ? (found[0] ?? null) : null;
}

function withDescription(entry: CellArtifact, bundle: MimeBundle, cellTitle: string): CellArtifact {
  const { title, altText, chart } = describe(bundle, cellTitle);
  return { ...entry, artifact: { ...entry.artifact, title, altText, chart }, marked: showMime in bundle };
}

function chartOf(bundle: MimeBundle): ChartData | null {
  return parseChartData(bundle[chartMime]);
}

interface DisplayedPart {
  readonly artifact: Omit<Artifact, 'file'>;
  readonly file: Pick<StoredFile, 'name' | 'mimeType'>;
  readonly bytes: Uint8Array;
  /** Of a wide table. */
  readonly picture: Uint8Array | null;
}

/** The downloadable parts of one displayed object: its picture, its table, its page or its document. */
function displayedParts(bundle: MimeBundle, cellTitle: string): readonly DisplayedPart[] {
  const { title, altText, chart } = describe(bundle, cellTitle);
  const parts: DisplayedPart[] = [];
  const add = (kind: Artifact['kind'], mimeType: string, bytes: Uint8Array, table: TableData | null): void => {
    parts.push({
      artifact: {
        kind,
        title,
        altText: kind === 'table' ? '' : altText,
        table,
        chart: kind === 'chart' ? chart : null,
      },
      file: { name: fileNameFor(title, mime.getExtension(mimeType) ?? 'bin'), mimeType },
      bytes,
      picture: kind === 'table' ? tablePictureIn(bundle) : null,
    });
  };

  const table = bundle[tableMime] as TableData | undefined;
  if (table !== undefined) {
    const csv = textOf(bundle['text/csv']);
    if (csv !== null) add('table', 'text/csv', new TextEncoder().encode(csv), table);
    return parts;
  }
  const picture = pictureTypes.find((type) => bundle[type] instanceof Uint8Array);
  if (picture !== undefined) add('chart', picture, bundle[picture] as Uint8Array, null);
  const page = textOf(bundle['text/html']);
  if (page !== null && (chart !== null || showMime in bundle))
    add('file', 'text/html', new TextEncoder().encode(page), null);
  const vector = textOf(bundle['image/svg+xml']);
  if (vector !== null && picture === undefined) add('file', 'image/svg+xml', new TextEncoder().encode(vector), null);
  const document = bundle['application/pdf'];
  if (document instanceof Uint8Array) add('file', 'application/pdf', document, null);
  return parts;
}

/** Any cell can display a part of this type: what is no PNG, or larger than what is drawn, is none. */
function tablePictureIn(bundle: MimeBundle): Uint8Array | null {
  const bytes = bundle[tablePictureMime];
  if (!(bytes instanceof Uint8Array) || bytes.length > tablePictureBytes) return null;
  return pngSignature.every((byte, index) => bytes[index] === byte) ? bytes : null;
}

async function keptPicture(bytes: Uint8Array, tableName: string, blobs: Blobs): Promise<StoredFile> {
  const stored = await blobs.put(once(bytes), { maxBytes: tablePictureBytes });
  return { name: pictureNameFor(tableName), mimeType: 'image/png', ...stored };
}

function describe(bundle: MimeBundle, cellTitle: string): Pick<Artifact, 'title' | 'altText' | 'chart'> {
  const chart = chartOf(bundle);
  const shown = (bundle[showMime] ?? {}) as { readonly title?: string | null; readonly alt?: string | null };
  const title = firstText(shown.title, chart?.title, cellTitle);
  const words = chart === null ? null : textOf(bundle['text/plain']);
  return { title, altText: firstText(shown.alt, words, `Picture: ${title}`).slice(0, 1000).toWellFormed(), chart };
}

function fileArtifact(path: string, stored: { readonly sha256: string; readonly sizeBytes: number }): Artifact {
  const name = path.split('/').at(-1) ?? path;
  const mimeType = mime.getType(name) ?? 'application/octet-stream';
  const isPicture = pictureTypes.includes(mimeType);
  const title = safeFileName(name);
  return {
    kind: isPicture ? 'chart' : 'file',
    title,
    file: { name, mimeType, ...stored },
    altText: isPicture ? `Picture: ${title}` : '',
    table: null,
    chart: null,
  };
}

async function* once(bytes: Uint8Array): Bytes {
  yield bytes;
}

function textOf(value: string | Uint8Array | JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function firstText(...candidates: readonly (string | null | undefined)[]): string {
  return candidates.find((text): text is string => typeof text === 'string' && text.trim() !== '') ?? '';
}
