import mime from 'mime';
import { toAppError } from '../errors.ts';
import type { Blobs, Bytes, SandboxSession } from '../ports.ts';
import { chartMime, tableMime } from '../types.ts';
import type { Artifact, ChartData, Execution, JsonValue, MimeBundle, StoredFile, TableData } from '../types.ts';
import { fileNameFor } from './file-names.ts';

/** `plotline.show(object, title=…, alt=…)` marks a bundle for the reply with this. */
const showMime = 'application/vnd.plotline.show+json';

/** What one cell left behind that could go out. Whether it does is decided when the task is over. */
export interface CellArtifact {
  readonly artifact: Artifact;
  /** For files: their path in the working directory, by which a later cell replaces or removes them. */
  readonly path: string | null;
  /** The code asked for it to be shown, by `plotline.show`. */
  readonly marked: boolean;
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
  const artifacts: CellArtifact[] = [];
  const notices: string[] = [];
  for (const bundle of execution.results) {
    for (const part of displayedParts(bundle, title)) {
      const stored = await blobs.put(once(part.bytes), { maxBytes: limits.fileBytes });
      artifacts.push({
        artifact: { ...part.artifact, file: { ...part.file, ...stored } },
        path: null,
        marked: showMime in bundle,
      });
    }
  }
  let budgetBytes = limits.filesBytes;
  for (const output of execution.files) {
    try {
      const stored = await blobs.put(
        session.read(output.path, { maxBytes: Math.min(limits.fileBytes, budgetBytes), signal }),
        {
          maxBytes: limits.fileBytes,
        },
      );
      budgetBytes -= stored.sizeBytes;
      artifacts.push({ artifact: fileArtifact(output.path, stored), path: output.path, marked: false });
    } catch (error) {
      const failure = toAppError(error);
      if (failure.code === 'cancelled') throw error;
      notices.push(`\`${output.path}\` could not be taken out of the sandbox: ${failure.userMessage}`);
    }
  }
  return { artifacts, notices };
}

interface DisplayedPart {
  readonly artifact: Omit<Artifact, 'file'>;
  readonly file: Pick<StoredFile, 'name' | 'mimeType'>;
  readonly bytes: Uint8Array;
}

/** The downloadable parts of one displayed object: its picture, its table, its page or its document. */
function displayedParts(bundle: MimeBundle, cellTitle: string): readonly DisplayedPart[] {
  const chart = (bundle[chartMime] ?? null) as ChartData | null;
  const shown = (bundle[showMime] ?? {}) as { readonly title?: string | null; readonly alt?: string | null };
  const title = firstText(shown.title, chart?.title, cellTitle);
  const describe = chart === null ? null : textOf(bundle['text/plain']);
  const altText = firstText(shown.alt, describe, `Picture: ${title}`).slice(0, 1000);

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
    });
  };

  const table = bundle[tableMime] as TableData | undefined;
  if (table !== undefined) {
    const csv = textOf(bundle['text/csv']);
    if (csv !== null) add('table', 'text/csv', new TextEncoder().encode(csv), table);
    return parts;
  }
  const picture = ['image/png', 'image/jpeg', 'image/gif'].find((type) => bundle[type] instanceof Uint8Array);
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

function fileArtifact(path: string, stored: { readonly sha256: string; readonly sizeBytes: number }): Artifact {
  const name = path.split('/').at(-1) ?? path;
  const mimeType = mime.getType(name) ?? 'application/octet-stream';
  const isPicture = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'].includes(mimeType);
  return {
    kind: isPicture ? 'chart' : 'file',
    title: name,
    file: { name, mimeType, ...stored },
    altText: isPicture ? `Picture: ${name}` : '',
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
