import type { Logger } from '../../src/log.ts';
import { askSlack, createBelieved } from './believed.ts';
import { asText } from '../json.ts';
import type { SlackSelf } from './message.ts';
import { createSlackWeb } from './web.ts';
import type { SlackWeb } from './web.ts';

/** One workspace (or Grid organisation) that installed the app: how it is called, and as whom. */
export interface SlackWorkspace {
  /** As in `ThreadRef`: `T…`, or `E….T…` for a workspace of an organisation that installed the app for all of it. */
  readonly id: string;
  readonly self: SlackSelf;
  /** The Grid organisation that the workspace belongs to. */
  readonly enterpriseId: string | null;
  /** The token is the organisation's: methods that look at one workspace must be told which (`team_id`). */
  readonly isOrgWide: boolean;
  readonly web: SlackWeb;
  /** For downloads, which are no calls of the Web API. Never kept, never logged, never in a task. */
  readonly token: string;
}

export interface SlackWorkspaces {
  /**
   * The workspace as it is installed now, asked for anew with every piece of work: its token may have been renewed or taken back.
   * `workspaceId` is a thread's. Rejects with `config`, in words, where the app is not installed there.
   */
  open(workspaceId: string, signal: AbortSignal): Promise<SlackWorkspace>;
}

/** The workspace of the one bot token from the settings, whatever id it is asked for by. */
export function createSingleWorkspace(deps: {
  readonly botToken: string;
  readonly apiUrl: string;
  readonly log: Logger;
  readonly fetch?: typeof globalThis.fetch | undefined;
}): SlackWorkspaces {
  const web = createSlackWeb({ token: deps.botToken, apiUrl: deps.apiUrl, log: deps.log, fetch: deps.fetch });
  const believed = createBelieved<SlackWorkspace>({ believedMs: Infinity, maxKnown: 1 });

  const ask = async (): Promise<SlackWorkspace> => {
    const answer = await askSlack(web, 'auth.test', {});
    const teamId = asText(answer['team_id']) ?? '';
    return {
      id: teamId,
      self: { teamId, userId: asText(answer['user_id']) ?? '', botId: asText(answer['bot_id']) ?? '' },
      enterpriseId: asText(answer['enterprise_id']),
      isOrgWide: false,
      web,
      token: deps.botToken,
    };
  };

  return { open: (_workspaceId, signal) => believed.get('self', ask, signal) };
}

/** A workspace id of a thread, taken apart. `E1.T1`: the workspace T1 of the organisation E1, whose installation serves it. */
export function partsOf(workspaceId: string): { readonly enterpriseId: string | null; readonly teamId: string | null } {
  const parts = workspaceId.split('.');
  return {
    enterpriseId: parts.find((part) => part.startsWith('E')) ?? null,
    teamId: parts.find((part) => part.startsWith('T')) ?? null,
  };
}
