import type { WakeFor } from '../ports/dispatcher.ts';
import type { ThreadKey } from '../types.ts';

/**
 * Where a thread waits: workspace, person, channel, and whether it is a follow-up, each level's id holding those above it. On every
 * level the members take turns, so what one of them has queued delays the others by one run for a turn, however much it is. People
 * come before channels: who asks in twenty channels has one turn among the people of the workspace all the same. Within the last
 * level threads go in the order in which they came.
 */
export type FlowPath = readonly string[];

export function flowPathOf(threadKey: ThreadKey, { personId, isFollowUp }: WakeFor): FlowPath {
  const [platform = '', workspace = '', channel = ''] = threadKey.split('/');
  const levels = [
    `${platform}/${workspace}`,
    encodeURIComponent(personId),
    channel,
    isFollowUp ? 'follow-up' : 'first',
  ];
  return levels.map((_, index) => levels.slice(0, index + 1).join('/'));
}

interface Member {
  readonly id: string;
  /** Of the members below; on the last level there are threads instead. */
  readonly group: Group;
  /** Waiting threads, here and below: the member's next turns have the tags `nextTag`, `nextTag + 1` … */
  waiting: number;
  nextTag: number;
  /** When it last began to wait, as a number that grows: equal tags go in this order. */
  joined: number;
  /** It has had no turn for so long that its next one comes before all others of the same tag. */
  isNew: boolean;
}

interface Group {
  /** The tag of the turn that was taken last. */
  now: number;
  readonly members: Map<string, Member>;
  readonly threads: ThreadKey[];
}

/**
 * Start-time fair queueing over a tree. A member's turns have tags that count up by one; the lowest tag of a group is next. Who
 * begins to wait gets the tag of the group's last turn, and so is next, but never one below its own last turn: nobody gains by
 * leaving and coming back, and with `n` members waiting in a group each gets at least every `n`th turn, but for members that are
 * new to it, which are served once before. When nothing waits, all that was is forgotten.
 */
export class FairOrder {
  readonly #root: Group = emptyGroup();
  readonly #paths = new Map<ThreadKey, FlowPath>();
  #joins = 0;

  get size(): number {
    return this.#paths.size;
  }

  has(threadKey: ThreadKey): boolean {
    return this.#paths.has(threadKey);
  }

  /** A thread that waits already keeps its place. */
  add(threadKey: ThreadKey, path: FlowPath): void {
    if (this.#paths.has(threadKey)) return;
    this.#paths.set(threadKey, path);
    this.#joins += 1;
    let group = this.#root;
    for (const id of path) {
      const member = group.members.get(id) ?? newMember(id);
      group.members.set(id, member);
      if (member.waiting === 0) {
        member.isNew = member.nextTag <= group.now;
        member.nextTag = Math.max(member.nextTag, group.now);
        member.joined = this.#joins;
      }
      member.waiting += 1;
      ({ group } = member);
    }
    group.threads.push(threadKey);
  }

  /** The thread whose turn it is, which waits no more; `null` when none does. */
  take(): ThreadKey | null {
    if (this.#paths.size === 0) return null;
    let group = this.#root;
    for (;;) {
      const next = nextOf(group);
      if (next === null) break;
      group.now = next.nextTag;
      next.nextTag += 1;
      next.waiting -= 1;
      next.isNew = false;
      ({ group } = next);
    }
    const threadKey = group.threads.shift() ?? null;
    if (threadKey !== null) this.#paths.delete(threadKey);
    if (this.#paths.size === 0) this.clear();
    return threadKey;
  }

  /** How many would be taken before this thread if none came; 0 where it does not wait. */
  place(threadKey: ThreadKey): number {
    const path = this.#paths.get(threadKey);
    if (path === undefined) return 0;
    const placeIn = (group: Group, [id, ...below]: FlowPath): number => {
      const member = id === undefined ? undefined : group.members.get(id);
      return member === undefined
        ? group.threads.indexOf(threadKey)
        : turnsBefore(group, member, placeIn(member.group, below));
    };
    return placeIn(this.#root, path);
  }

  clear(): void {
    this.#paths.clear();
    this.#root.members.clear();
    this.#root.now = 0;
    this.#joins = 0;
  }
}

function emptyGroup(): Group {
  return { now: 0, members: new Map(), threads: [] };
}

function newMember(id: string): Member {
  return { id, group: emptyGroup(), waiting: 0, nextTag: 0, joined: 0, isNew: false };
}

function nextOf(group: Group): Member | null {
  let best: Member | null = null;
  for (const member of group.members.values()) {
    if (member.waiting > 0 && (best === null || isBefore(member, 0, best, 0))) best = member;
  }
  return best;
}

/** Whether the `i`th turn of `a` from now, from 0, comes before the `j`th of `b`. */
function isBefore(a: Member, i: number, b: Member, j: number): boolean {
  const [tagA, tagB] = [a.nextTag + i, b.nextTag + j];
  if (tagA !== tagB) return tagA < tagB;
  const [newA, newB] = [a.isNew && i === 0, b.isNew && j === 0];
  return newA === newB ? a.joined < b.joined : newA;
}

/** Turns of the whole group before the `index`th of this member. */
function turnsBefore(group: Group, member: Member, index: number): number {
  let before = index;
  for (const other of group.members.values()) {
    if (other === member || other.waiting === 0) continue;
    // Of its turns with lower tags all come before, and of the one with the same tag it is to be seen.
    const sameTag = member.nextTag + index - other.nextTag;
    before += Math.min(other.waiting, Math.max(0, sameTag));
    if (sameTag >= 0 && sameTag < other.waiting && isBefore(other, sameTag, member, index)) before += 1;
  }
  return before;
}
