import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import type { Person } from '../../src/types.ts';
import { asObject, asText } from '../json.ts';
import type { SlackWeb } from './web.ts';

/** Names of people. A name that does not come in time, or at all, is the person's id. */
export interface People {
  person(web: SlackWeb, userId: string, maxWaitMs: number): Promise<Person>;
}

const maxKnown = 5000;

export function createPeople(deps: { readonly log: Logger }): People {
  const names = new Map<string, Promise<string>>();

  const look = async (web: SlackWeb, userId: string): Promise<string> => {
    try {
      const answer = await web.call('users.info', { user: userId }, AbortSignal.timeout(10_000));
      const user = asObject(answer['user']);
      const profile = asObject(user['profile']);
      return asText(profile['display_name']) ?? asText(profile['real_name']) ?? asText(user['name']) ?? userId;
    } catch (error) {
      names.delete(userId);
      deps.log.debug({ userId, error: String(error) }, 'a name could not be looked up');
      return userId;
    }
  };

  return {
    person: async (web, userId, maxWaitMs) => {
      let name = names.get(userId);
      if (name === undefined) {
        if (names.size >= maxKnown) names.clear();
        name = look(web, userId);
        names.set(userId, name);
      }
      const done = new AbortController();
      const tooLate = delay(maxWaitMs, userId, { signal: done.signal, ref: false }).catch(() => userId);
      const displayName = await Promise.race([name, tooLate]);
      done.abort();
      return { id: userId, displayName };
    },
  };
}
