import type { Logger } from '../../src/log.ts';
import { slackCodeOf } from './errors.ts';
import type { People, SlackPerson } from './people.ts';
import { createUserGroups } from './user-groups.ts';
import type { SlackWorkspace, SlackWorkspaces } from './workspaces.ts';

/** Ids as Slack has them. An empty list of `allow` excludes nobody. */
export interface SlackAccessRules {
  readonly allow: SlackAccessLists;
  readonly deny: SlackAccessLists;
  /** Whether guests of the workspace may ask. */
  readonly guests: boolean;
  /** Whether people of other organisations may ask, in channels shared with them. */
  readonly connect: boolean;
}

export interface SlackAccessLists {
  readonly workspaces: readonly string[];
  readonly channels: readonly string[];
  readonly groups: readonly string[];
  readonly users: readonly string[];
}

export interface SlackAsker {
  readonly workspaceId: string;
  /** `null` where they are in none, as in the Home tab: then the rules about channels do not apply. */
  readonly channelId: string | null;
  readonly userId: string;
  /** Their home workspace, where the event says it. */
  readonly userTeamId: string | null;
}

/**
 * Why this person may not use the bot here, in words for them; `null`: they are welcome. What denies beats what allows.
 * Rejects, retryable, where Slack cannot be asked: nobody is let in because a look-up failed.
 */
export type SlackAccess = (who: SlackAsker, signal: AbortSignal) => Promise<string | null>;

export function createAccess(deps: {
  readonly rules: SlackAccessRules;
  readonly workspaces: SlackWorkspaces;
  readonly people: People;
  readonly log: Logger;
  readonly now?: () => number;
}): SlackAccess {
  const { rules, workspaces, people, log } = deps;
  const { allow, deny } = rules;
  const groups = createUserGroups({ now: deps.now });

  const isInOneOf = async (
    groupIds: readonly string[],
    workspace: SlackWorkspace,
    userId: string,
    signal: AbortSignal,
  ): Promise<boolean> => {
    for (const groupId of groupIds) {
      if ((await groups.members(workspace, groupId, signal)).has(userId)) return true;
    }
    return false;
  };

  const decide = async (who: SlackAsker, signal: AbortSignal): Promise<string | null> => {
    const workspace = await workspaces.open(who.workspaceId, signal);
    const { userId } = who;
    const here = [workspace.self.teamId, workspace.enterpriseId ?? ''];
    const channel = who.channelId === null ? [] : [who.channelId];

    if (overlap(deny.workspaces, here)) return refusals.workspace('SLACK_DENY_WORKSPACES');
    if (overlap(deny.channels, channel)) return refusals.channel('SLACK_DENY_CHANNELS');
    if (deny.users.includes(userId)) return refusals.person('SLACK_DENY_USERS');
    if (allow.workspaces.length > 0 && !overlap(allow.workspaces, here)) {
      return refusals.workspace('SLACK_ALLOW_WORKSPACES');
    }
    if (allow.channels.length > 0 && channel.length > 0 && !overlap(allow.channels, channel)) {
      return refusals.otherChannel('SLACK_ALLOW_CHANNELS');
    }

    const person = await orScope('users:read', people.look(workspace, userId, signal));
    if (typeof person === 'string') return person;
    const byKind = refusedKind(person, who, workspace, rules);
    if (byKind !== null) return byKind;

    const isDenied = await orScope('usergroups:read', isInOneOf(deny.groups, workspace, userId, signal));
    if (typeof isDenied === 'string') return isDenied;
    if (isDenied) return refusals.person('SLACK_DENY_GROUPS');
    if (allow.users.length + allow.groups.length === 0 || allow.users.includes(userId)) return null;
    const isAllowed = await orScope('usergroups:read', isInOneOf(allow.groups, workspace, userId, signal));
    if (typeof isAllowed === 'string') return isAllowed;
    return isAllowed ? null : refusals.notListed('SLACK_ALLOW_USERS, SLACK_ALLOW_GROUPS');
  };

  return async (who, signal) => {
    const refusal = await decide(who, signal);
    if (refusal !== null) log.info({ ...who, refusal }, 'somebody was refused');
    return refusal;
  };
}

function refusedKind(
  person: SlackPerson,
  who: SlackAsker,
  workspace: SlackWorkspace,
  rules: SlackAccessRules,
): string | null {
  if (person.isBot) return 'I answer people, not bots. Ask me from an account of your own.';
  if (person.isDeactivated) return 'This account is deactivated. An admin of the workspace can activate it again.';
  if (!rules.connect && isOfOthers(person, who, workspace)) return refusals.stranger('SLACK_CONNECT');
  if (!rules.guests && person.isGuest) return refusals.guest('SLACK_GUESTS');
  return null;
}

/**
 * In a channel that is shared with another organisation, its people are no strangers to Slack: then only their home tells.
 * Within one organisation homes differ. Somebody of whom nothing is known is not let in.
 */
function isOfOthers(person: SlackPerson, who: SlackAsker, workspace: SlackWorkspace): boolean {
  const { enterpriseId, self } = workspace;
  if (person.isStranger) return true;
  if (enterpriseId !== null && person.enterpriseId === enterpriseId) return false;
  const home = person.teamId ?? who.userTeamId;
  return home === null || (home !== self.teamId && home !== enterpriseId);
}

/** What was looked up, or the refusal for want of a scope. A person that Slack does not show is refused as well. */
async function orScope<Value>(scope: string, looked: Promise<Value>): Promise<Value | string> {
  try {
    return await looked;
  } catch (error) {
    const code = slackCodeOf(error);
    if (code === 'missing_scope') {
      return (
        `I cannot tell whether you may use me: my Slack app lacks the scope ${scope}. ` +
        'Whoever runs me must add it in the app\'s settings ("OAuth & Permissions") and install the app again.'
      );
    }
    if (code === 'user_not_found' || code === 'user_not_visible') {
      return 'Slack does not show me who you are here, so I cannot tell whether you may use me. Ask an admin of the workspace.';
    }
    throw error;
  }
}

function overlap(list: readonly string[], ids: readonly string[]): boolean {
  return ids.some((id) => list.includes(id));
}

const decidedBy = (what: string) => (setting: string) =>
  `${what} Whoever runs me decides that (in the settings: ${setting}); the admins of this workspace know whom to ask.`;

const refusals = {
  workspace: decidedBy('I do not answer questions from this workspace.'),
  channel: decidedBy('I do not answer questions in this channel; ask me in another one.'),
  otherChannel: decidedBy('I answer questions in some channels only, and this is none of them.'),
  person: decidedBy('I may not answer your questions.'),
  notListed: decidedBy('I answer only some people here, and you are not among them.'),
  guest: decidedBy('I do not answer guests of this workspace.'),
  stranger: decidedBy(
    'I answer only people who belong to the organisation of this workspace, and you come from another one.',
  ),
} as const;
