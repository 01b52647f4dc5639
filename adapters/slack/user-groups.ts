import { askSlack, createBelieved } from './believed.ts';
import { slackCodeOf } from './errors.ts';
import { asArray } from '../json.ts';
import type { SlackWorkspace } from './workspaces.ts';

/** Who is in a user group (`S…`), as the workspace that asks sees it. */
export interface UserGroups {
  /** Empty where the workspace has no such group. Rejects as `SlackWeb.call` does. */
  members(workspace: SlackWorkspace, groupId: string, signal: AbortSignal): Promise<ReadonlySet<string>>;
}

const believedMs = 5 * 60_000;
const maxKnown = 1000;

/** One list of the settings holds for all workspaces: in most of them a group of another one does not exist, or no group can. */
const noSuchGroup: ReadonlySet<string | null> = new Set([
  'no_such_subteam',
  'plan_upgrade_required',
  'paid_teams_only',
]);

export function createUserGroups(deps: { readonly now?: (() => number) | undefined } = {}): UserGroups {
  const believed = createBelieved<ReadonlySet<string>>({ believedMs, maxKnown, now: deps.now });
  return {
    members: (workspace, groupId, signal) => {
      const ask = async (): Promise<ReadonlySet<string>> => {
        const team = workspace.isOrgWide ? { team_id: workspace.self.teamId } : {};
        try {
          const answer = await askSlack(workspace.web, 'usergroups.users.list', { usergroup: groupId, ...team });
          return new Set(asArray(answer['users']).map(String));
        } catch (error) {
          if (noSuchGroup.has(slackCodeOf(error))) return new Set();
          throw error;
        }
      };
      return believed.get(`${workspace.id}/${groupId}`, ask, signal);
    },
  };
}
