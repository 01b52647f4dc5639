import { createHash } from 'node:crypto';
import type { AuditEntry } from '../ports/audit.ts';
import { threadKeyOf } from '../types.ts';
import type { JsonValue, ThreadKey } from '../types.ts';

/** Of the first line of all. */
export const noHash = '0'.repeat(64);

/** What a line says beside its hashes. */
export type LineFields = Readonly<Record<string, JsonValue>>;

const linePattern = /^(\{.*),"hash":"([0-9a-f]{64})"\}$/;

/** The line without its end, and its own hash: the SHA-256 of the line as it is written, but for the hash itself. */
export function writeLine(fields: LineFields, previous: string): { readonly line: string; readonly hash: string } {
  const open = JSON.stringify({ ...fields, previous }).slice(0, -1);
  const hash = sha256(`${open}}`);
  return { line: `${open},"hash":"${hash}"}`, hash };
}

/** `null`: the line is not as it was written. */
export function readLine(
  line: string,
): { readonly fields: LineFields; readonly previous: string; readonly hash: string } | null {
  const [, open = '', hash = ''] = linePattern.exec(line) ?? [];
  if (hash === '' || sha256(`${open}}`) !== hash) return null;
  try {
    const { previous, ...fields } = JSON.parse(`${open}}`) as Record<string, JsonValue>;
    return typeof previous === 'string' ? { fields, previous, hash } : null;
  } catch {
    return null;
  }
}

/** Ids, counts and hashes: nothing that anybody said or sent. */
export function fieldsOf(entry: AuditEntry): LineFields {
  const { event } = entry;
  if (event === 'stop-asked') {
    return { event, ...placeOf(entry.threadKey), person: entry.personId, tasks: entry.tasks };
  }
  if (event === 'forgot') {
    return { event, ...placeOf(entry.threadKey), person: entry.personId, reason: entry.reason };
  }
  const { thread, person, id } = entry.task;
  return { event, ...placeOf(threadKeyOf(thread)), person: person.id, task: id, ...detailsOf(entry) };
}

function detailsOf(entry: Extract<AuditEntry, { readonly task: unknown }>): LineFields {
  switch (entry.event) {
    case 'task-started':
      return { attempt: entry.attempt };
    case 'cell-run':
      return { code: sha256(entry.code), status: entry.status, ms: Math.round(entry.ms) };
    case 'file-in':
    case 'file-out':
      return { sha256: entry.sha256, bytes: entry.bytes };
    case 'task-ended':
      return { outcome: entry.outcome };
    case 'task-accepted':
    case 'refused':
    case 'question-edited':
    case 'question-deleted':
      return {};
    default:
      return entry satisfies never;
  }
}

function placeOf(threadKey: ThreadKey): LineFields {
  const [platform = '', workspace = '', channel = '', thread = ''] = threadKey.split('/').map(decodeURIComponent);
  return { platform, workspace, channel, thread };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
