import { createHash } from 'node:crypto';

/** What Discord's ids tell, and ids of our own that Discord keeps for us. */

export function compareSnowflakes(left: string, right: string): number {
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}

/**
 * The message that was asked, and its channel, from the id of a task or of one of its posts:
 * `discord-<workspace>-<channel>-<message>`, maybe with more behind it. `null` for ids of other forms.
 */
export function questionOf(taskOrPostId: string): { readonly channelId: string; readonly messageId: string } | null {
  const [, channelId, messageId] = /^discord-[^-]+-(\d{15,20})-(\d{15,20})(?!\d)/.exec(taskOrPostId) ?? [];
  return channelId === undefined || messageId === undefined ? null : { channelId, messageId };
}

/**
 * What every post of this task is younger than: the question, or for a re-run the press that asked for it (its id ends the task's,
 * in base 36), which may be much younger. `null` for ids of other forms.
 */
export function askedAt(taskOrPostId: string): string | null {
  const [, press] = /^discord-[^-]+-\d{15,20}-\d{15,20}-r([0-9a-z]{9,13})(?=-|$)/.exec(taskOrPostId) ?? [];
  if (press === undefined) return questionOf(taskOrPostId)?.messageId ?? null;
  return Array.from(press)
    .reduce((id, digit) => id * 36n + BigInt(Number.parseInt(digit, 36)), 0n)
    .toString();
}

/** The same for every attempt at a part, so that Discord itself drops the second of two. At most 25 characters. */
export function nonceOf(postId: string, partId: string): string {
  return digest(postId, partId).toString('base64url').slice(0, 24);
}

/** What a message of ours is, readable from the message itself. */
export type MarkKind = 'text' | 'progress';

/**
 * The id of a message's first component. Discord gives component ids back with the message and shows them to nobody, so the
 * part can be found again in the channel. From 2^29 up: ids that Discord makes itself count from 1.
 */
export function markOf(postId: string, partId: string, kind: MarkKind): number {
  const hash = digest(postId, partId).readUInt32BE(28) & 0x0fff_ffff;
  return 0x2000_0000 + hash * 2 + (kind === 'progress' ? 1 : 0);
}

export function kindOfMark(mark: number | null): MarkKind | null {
  if (mark === null || mark < 0x2000_0000) return null;
  return mark % 2 === 1 ? 'progress' : 'text';
}

function digest(postId: string, partId: string): Buffer {
  return createHash('sha256').update(`${postId}\n${partId}`).digest();
}
