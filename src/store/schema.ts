import type { Generated } from 'kysely';
import type { PostKind } from '../ports/store.ts';
import type { TaskState } from '../types.ts';

/**
 * The tables, with types that SQLite and PostgreSQL share: integers and text. JSON is text, because nothing is ever queried
 * inside it; a flag is 0 or 1, because SQLite has no boolean. `sequence` is the order of arrival.
 */
export interface Database {
  readonly tasks: TasksTable;
  readonly posts: PostsTable;
  readonly post_parts: PostPartsTable;
  readonly cells: CellsTable;
  readonly turns: TurnsTable;
  readonly files: FilesTable;
  readonly cards: CardsTable;
  readonly usage: UsageTable;
  readonly feedback: FeedbackTable;
  readonly installations: InstallationsTable;
  readonly locks: LocksTable;
  readonly blob_references: BlobReferencesTable;
  readonly fills: FillsTable;
  readonly post_removals: PostRemovalsTable;
  readonly forgettings: ForgettingsTable;
}

export interface TasksTable {
  readonly sequence: Generated<number>;
  readonly id: string;
  readonly thread_key: string;
  readonly state: TaskState;
  readonly attempts: number;
  /** JSON of the `Task`. Of a forgotten one without its words and files. */
  readonly task: string;
  /** `platform/workspace`, each part percent-encoded. */
  readonly workspace_key: string;
  /** `platform/workspace/person`; empty where the task was forgotten. */
  readonly person_key: string;
  readonly received_at_ms: number;
}

export interface PostsTable {
  readonly sequence: Generated<number>;
  readonly post_id: string;
  readonly task_id: string;
  readonly thread_key: string;
  readonly kind: PostKind;
  /** JSON. */
  readonly body: string;
  readonly sent: 0 | 1;
}

export interface PostPartsTable {
  readonly sequence: Generated<number>;
  readonly post_id: string;
  readonly part_id: string;
  readonly message_id: string;
}

export interface CellsTable {
  readonly thread_key: string;
  /** The cell's index in its thread. */
  readonly position: number;
  readonly task_id: string;
  /** JSON of the `Cell`: as JSON, code may hold a NUL or half a character, which a text column need not take. */
  readonly cell: string;
}

export interface TurnsTable {
  readonly sequence: Generated<number>;
  readonly thread_key: string;
  readonly task_id: string;
  /** JSON of the `ModelMessage` list. */
  readonly messages: string;
}

export interface FilesTable {
  readonly sequence: Generated<number>;
  readonly thread_key: string;
  readonly name: string;
  /** JSON of the `ThreadFile`. */
  readonly file: string;
}

export interface CardsTable {
  readonly sequence: Generated<number>;
  readonly thread_key: string;
  /** The file's name in its thread. */
  readonly name: string;
  /** JSON of the `FileCard`. */
  readonly card: string;
}

export interface UsageTable {
  readonly sequence: Generated<number>;
  readonly task_id: string;
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly sandbox_ms: number;
}

export interface FeedbackTable {
  readonly task_id: string;
  readonly person_id: string;
  readonly value: 'good' | 'bad';
}

export interface InstallationsTable {
  readonly id: string;
  /** As `SecretBox.seal` gives it. */
  readonly sealed: string;
}

export interface LocksTable {
  readonly name: string;
  readonly owner: string;
  readonly expires_at_ms: number;
}

/** Kept by triggers, see `blob-references.ts`. */
export interface BlobReferencesTable {
  readonly source: 'files' | 'cells' | 'posts';
  readonly thread_key: string;
  /** The naming row: its sequence; of a cell, its position. */
  readonly source_number: number;
  readonly sha256: string;
}

/** What was filled in, after a migration, from the rows that were there. */
export interface FillsTable {
  readonly name: string;
}

/** Of `PostRemoval`. */
export interface PostRemovalsTable {
  readonly id: Generated<number>;
  /** JSON of the `ThreadRef`. */
  readonly thread: string;
  /** JSON. */
  readonly message_ids: string;
  readonly noted_at_ms: number;
}

/** Threads that are to be forgotten. */
export interface ForgettingsTable {
  readonly thread_key: string;
  readonly noted_at_ms: number;
}
