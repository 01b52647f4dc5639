import type { OutgoingMessage } from '../ports/platforms.ts';
import type { ExecutionStatus, ModelUsage, Reply } from '../types.ts';

/** How a call ended. */
export type CallResult = 'ok' | 'rate-limited' | 'cancelled' | 'failed';

interface OfPlatform {
  readonly platform: string;
}

/** What is counted and timed, as plain data; times in milliseconds. Implementations never throw. */
export interface Measures {
  taskStarted(of: OfPlatform & { readonly waitMs: number; readonly isRetry: boolean }): void;
  firstProgress(of: OfPlatform & { readonly afterMs: number }): void;
  taskEnded(of: OfPlatform & { readonly outcome: Reply['outcome']; readonly afterMs: number }): void;
  taskInterrupted(of: OfPlatform): void;
  refused(of: OfPlatform): void;
  cell(of: { readonly status: ExecutionStatus; readonly durationMs: number }): void;
  modelTurn(of: { readonly reason: string; readonly durationMs: number; readonly usage: ModelUsage }): void;
  post(of: OfPlatform & { readonly kind: PostedKind; readonly result: CallResult; readonly isRepeat: boolean }): void;
  edit(of: OfPlatform & { readonly result: CallResult }): void;
  download(of: OfPlatform & { readonly result: CallResult; readonly bytes: number }): void;
  sandbox(of: { readonly result: CallResult; readonly waitMs: number }): void;
}

export type PostedKind = OutgoingMessage['kind'] | 'upload';

/** Where gauges look when they are asked. */
export interface Sources {
  engines(): readonly EngineRoom[];
  depth(signal: AbortSignal): Promise<{ readonly waiting: number; readonly running: number }>;
}

export interface EngineRoom {
  readonly name: string;
  readonly warm: number;
  /** Given to threads, starting, or on their way out. */
  readonly inUse: number;
  readonly max: number;
  readonly isServing: boolean;
}

const nothing = (): void => {};

/** For a process whose metrics nobody asks for. */
export const noMeasures: Measures = {
  taskStarted: nothing,
  firstProgress: nothing,
  taskEnded: nothing,
  taskInterrupted: nothing,
  refused: nothing,
  cell: nothing,
  modelTurn: nothing,
  post: nothing,
  edit: nothing,
  download: nothing,
  sandbox: nothing,
};
