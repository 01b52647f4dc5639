import type { Task, ThreadKey, ThreadRef } from '../types.ts';

/** Messages of the bot on a platform whose question is gone: to be taken back. */
export interface PostRemoval {
  readonly id: number;
  readonly thread: ThreadRef;
  readonly messageIds: readonly string[];
  readonly notedAtMs: number;
}

/** What a store knows about what must go, so that it goes in the end, whichever process dies on the way. Part of `Store`. */
export interface RetentionRecords {
  /** Notes that these threads are to be forgotten; forgetting one strikes it out. */
  noteForgetting(threadKeys: readonly ThreadKey[]): Promise<void>;
  /** Noted at least `ageMs` ago and not forgotten since, oldest first. */
  notedForgettings(ageMs: number, limit: number): Promise<readonly ThreadKey[]>;
  /** Threads that are at rest, not forgotten, and whose newest task came before `beforeMs`; those longest at rest first. */
  staleThreads(beforeMs: number, limit: number): Promise<readonly ThreadKey[]>;
  /** Forgotten threads of which something is left: a task that was under way wrote it, and its process died. */
  threadsWithRemains(limit: number): Promise<readonly ThreadKey[]>;
  /** Forgotten tasks with posts, for the same reason. */
  tasksWithRemains(limit: number): Promise<readonly Task['id'][]>;
  /** As `forgetThread`, but only of a thread at rest without a task since `beforeMs`; `null`: it goes on, and nothing is changed. */
  forgetThreadAtRest(threadKey: ThreadKey, beforeMs: number): Promise<readonly string[] | null>;
  /** As `forgetTask` for each, in one step, which also notes what the bot posted for them. `null`: there was nothing. All of one thread. */
  forgetQuestion(taskIds: readonly string[]): Promise<PostRemoval | null>;
  /** Noted at least `ageMs` ago and not struck out, oldest first. */
  postRemovals(ageMs: number, limit: number): Promise<readonly PostRemoval[]>;
  /** Strikes it out. */
  endPostRemoval(id: number): Promise<void>;
  /** True for one caller of all processes until `ttlMs` have passed. */
  takeTurn(name: string, ttlMs: number): Promise<boolean>;
  /** Removes turns and locks that ran out a day ago: their names may never be asked for again. */
  removeOldTurns(): Promise<void>;
}
