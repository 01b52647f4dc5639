import { Routes } from 'discord.js';
import type { APIGuildMember, APIMessage, REST } from 'discord.js';
import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { Admission } from '../../src/ports/platforms.ts';
import type { Attachment, Task } from '../../src/types.ts';
import { asObject } from '../json.ts';
import { createCooldown, needsRoles, refusalFor } from './access.ts';
import type { AccessRules } from './access.ts';
import { filesOf, readSource } from './attachments.ts';
import { questionOf } from './ids.ts';
import { filesWithReplied } from './message.ts';

/** Discord is asked for at most this long. */
const lookTimeoutMs = 5000;
/** A role that somebody was given counts after at most so long. */
const rolesKeptMs = 60_000;
const rememberedMembers = 5000;

/**
 * `PlatformClient.admit`: the rules of who may ask, and the replied-to message where the event did not bring it. Rejects,
 * retryable, where a person's roles decide and cannot be read: nobody gets in because Discord is down.
 */
export function createAdmission(deps: {
  readonly rest: Pick<REST, 'get'>;
  readonly access: AccessRules;
  readonly log: Logger;
}): (task: Task, signal: AbortSignal) => Promise<Admission> {
  const { rest, access, log } = deps;
  const cooldown = createCooldown(access.cooldownMs);
  const members = new Map<string, { readonly roleIds: readonly string[]; readonly readAtMs: number }>();

  const rolesOf = async (guildId: string | null, userId: string, signal: AbortSignal): Promise<readonly string[]> => {
    if (guildId === null || !needsRoles(access)) return [];
    const key = `${guildId}/${userId}`;
    const known = members.get(key);
    if (known !== undefined && Date.now() - known.readAtMs < rolesKeptMs) return known.roleIds;
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(lookTimeoutMs)]);
      const member = (await rest.get(Routes.guildMember(guildId, userId), { signal: within })) as APIGuildMember;
      if (members.size >= rememberedMembers) members.clear();
      members.set(key, { roleIds: member.roles, readAtMs: Date.now() });
      return member.roles;
    } catch (error) {
      if (isGone(error)) return [];
      throw new AppError('platform-failed', 'I could not ask Discord for your roles, which decide who may use me.', {
        cause: error,
        retryable: true,
        detail: `roles could not be read: ${String(error)}`,
      });
    }
  };

  const read = async (channelId: string, messageId: string, signal: AbortSignal): Promise<APIMessage | null> => {
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(lookTimeoutMs)]);
      return (await rest.get(Routes.channelMessage(channelId, messageId), { signal: within })) as APIMessage;
    } catch (error) {
      log.warn({ channelId, messageId, error: String(error) }, 'a message could not be read again');
      return null;
    }
  };

  /** The event had no word of the message it replies to: read again, it has. */
  const lookedAgain = async (task: Task, signal: AbortSignal): Promise<Task> => {
    const question = questionOf(task.id);
    if (task.lookAgain !== true || question === null) return task;
    const message = await read(question.channelId, question.messageId, signal);
    if (message === null) return task;
    return { ...task, attachments: filesWithReplied(message, null), lookAgain: false };
  };

  /**
   * A message that the event hid may show itself when it is read (the portal's switch counts there, not what the connection asked
   * for): then all of its files come, the first under the id by which the hidden message was known.
   */
  const unhidden = async (task: Task, signal: AbortSignal): Promise<Task> => {
    const attachments: Attachment[] = [];
    for (const attachment of task.attachments) {
      const source = readSource(attachment.source);
      const message = source?.kind === 'unseen' ? await read(source.channelId, source.messageId, signal) : null;
      const [first, ...more] = message === null ? [] : filesOf(asObject(message));
      attachments.push(...(first === undefined ? [attachment] : [{ ...first, id: attachment.id }, ...more]));
    }
    const isSame = attachments.every((attachment, index) => attachment === task.attachments[index]);
    return isSame ? task : { ...task, attachments };
  };

  return async (task, signal) => {
    const { workspaceId, channelId, threadId } = task.thread;
    const guildId = workspaceId === '@me' ? null : workspaceId;
    const { id: userId } = task.person;
    const roleIds = await rolesOf(guildId, userId, signal);
    const refusal =
      refusalFor(access, { userId, guildId, channelIds: [channelId, threadId], roleIds }) ??
      cooldown.take(userId, task.id, task.receivedAtMs);
    if (refusal !== null) return { kind: 'refused', text: refusal };
    return { kind: 'admitted', task: await unhidden(await lookedAgain(task, signal), signal) };
  };
}

/** They left the server, or the server is gone: then they have no roles there. */
function isGone(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === 404;
}
