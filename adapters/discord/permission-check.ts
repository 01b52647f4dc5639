import type { Logger } from '../../src/log.ts';
import type { Task } from '../../src/types.ts';
import { canSpeak, missingPermissions } from './permissions.ts';
import type { Place } from './message.ts';
import type { Speech } from './speech.ts';
import type { Surroundings } from './surroundings.ts';

/** Looks, before a question is taken, whether it can be answered where it was asked; else says which permission is missing. */
export interface PermissionCheck {
  /** False: the person was told, in the channel or in a direct message, or at least the log was. */
  allows(place: Place, task: Task): Promise<boolean>;
}

export function createPermissionCheck(deps: {
  readonly surroundings: Pick<Surroundings, 'permissionsIn'>;
  readonly speech: Speech;
  readonly log: Logger;
}): PermissionCheck {
  const { surroundings, speech, log } = deps;
  return {
    allows: async (place, task) => {
      const has = surroundings.permissionsIn(place);
      if (has === null) return true;
      const missing = missingPermissions(has, place.kind);
      if (missing.length === 0) return true;
      const text = missingText(missing, place);
      log.warn({ guildId: place.guildId, channelId: place.id, missing }, 'permissions are missing in a channel');
      try {
        // A message that cannot be read cannot be replied to.
        const replyTo = missing.includes('Read Message History') ? null : task.messageId;
        if (canSpeak(has, place.kind))
          await speech.say({ channelId: place.id, replyTo }, { text }, `${task.id}-missing`);
        else await speech.tell(task.person.id, { text }, `${task.id}-missing`);
      } catch (error) {
        log.warn({ channelId: place.id, error: String(error) }, 'a missing permission could not be said');
      }
      return false;
    },
  };
}

/** For the person who asked. */
export function missingText(missing: readonly string[], place: Pick<Place, 'id' | 'parentId'>): string {
  const list = missing.map((name) => `**${name}**`).join(', ');
  const permission = missing.length === 1 ? 'the permission' : 'the permissions';
  return `I cannot answer in <#${place.parentId ?? place.id}>: I lack ${permission} ${list} there. Whoever manages the server can grant it in the channel's settings, under Permissions.`;
}
