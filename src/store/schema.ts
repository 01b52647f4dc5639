import type { Generated } from 'kysely';
import type { PostKind } from '../ports/store.ts';
import type { TaskKind } from '../ports/usage.ts';
import type { Reply, TaskState } from '../types.ts';

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
  readonly drafts: DraftsTable;
  readonly installations: InstallationsTable;
  readonly locks: LocksTable;
  readonly blob_references: BlobReferencesTable;
  readonly fills: FillsTable;
  readonly limit_scopes: LimitScopesTable;
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
  /** How often it was started in all; a worker that took an earlier start holds it no more. */
  readonly fence: Generated<number>;
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
  /** Of when it counts for the limits; 0 in rows that no claim began. */
  readonly at_ms: Generated<number>;
  /** What it counts as. Empty in rows of before limits, of which a task may have several. */
  readonly kind: Generated<TaskKind | 'uncounted' | 'unclaimed' | ''>;
  /** 1 from the claim to the end. */
  readonly is_open: Generated<0 | 1>;
  /** A hash: it outlives the person's name, which goes when the thread is forgotten. */
  readonly person_scope: Generated<string>;
  readonly channel_scope: Generated<string>;
  readonly workspace_scope: Generated<string>;
  /** Empty until the task has ended. */
  readonly outcome: Generated<Reply['outcome'] | ''>;
  readonly reasoning_tokens: Generated<number>;
  readonly model_turns: Generated<number>;
  readonly bytes_in: Generated<number>;
  readonly bytes_out: Generated<number>;
  /** Millionths of `currency`, at the prices of then. */
  readonly cost_micros: Generated<number>;
  /** Empty where no prices were configured. */
  readonly currency: Generated<string>;
  readonly model: Generated<string>;
}

/** Whose limits are being checked: a claim holds its rows until it is written, so that no other one counts beside it. */
export interface LimitScopesTable {
  readonly scope: string;
  readonly claims: number;
}

export interface FeedbackTable {
  readonly task_id: string;
  readonly person_id: string;
  readonly value: 'good' | 'bad';
}

export interface DraftsTable {
  readonly sequence: Generated<number>;
  readonly id: string;
  readonly platform: string;
  /** JSON, of the platform's adapter. */
  readonly body: string;
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
