import type { Person } from '../../src/types.ts';
import { askSlack, createBelieved } from './believed.ts';
import { asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import type { SlackWorkspace } from './workspaces.ts';

/** A person as Slack describes them to the workspace that asks. */
export interface SlackPerson extends Person {
  /** Their home workspace; of some people of an organisation its own id (E…). `null` where Slack does not say. */
  readonly teamId: string | null;
  /** The Grid organisation they belong to. */
  readonly enterpriseId: string | null;
  readonly isGuest: boolean;
  /** Slack says so only of somebody of another organisation with whom the bot shares no channel. */
  readonly isStranger: boolean;
  readonly isBot: boolean;
  readonly isDeactivated: boolean;
}

export interface People {
  /** Somebody who was made a guest or sent away is noticed after ten minutes at the latest. Rejects as `SlackWeb.call` does. */
  look(workspace: SlackWorkspace, userId: string, signal: AbortSignal): Promise<SlackPerson>;
}

const believedMs = 10 * 60_000;
const maxKnown = 5000;

export function createPeople(deps: { readonly now?: () => number } = {}): People {
  const believed = createBelieved<SlackPerson>({ believedMs, maxKnown, now: deps.now });
  return {
    look: (workspace, userId, signal) => {
      const ask = async (): Promise<SlackPerson> =>
        readPerson(asObject((await askSlack(workspace.web, 'users.info', { user: userId }))['user']), userId);
      // What Slack says of a person depends on who asks: a colleague here is a stranger there.
      return believed.get(`${workspace.id}/${userId}`, ask, signal);
    },
  };
}

function readPerson(user: Json, userId: string): SlackPerson {
  const profile = asObject(user['profile']);
  const enterprise = asObject(user['enterprise_user']);
  return {
    id: userId,
    displayName: asText(profile['display_name']) ?? asText(profile['real_name']) ?? asText(user['name']) ?? userId,
    teamId: asText(user['team_id']),
    enterpriseId: asText(enterprise['enterprise_id']),
    isGuest: user['is_restricted'] === true || user['is_ultra_restricted'] === true,
    isStranger: user['is_stranger'] === true,
    isBot: user['is_bot'] === true || userId === 'USLACKBOT',
    isDeactivated: user['deleted'] === true,
  };
}
