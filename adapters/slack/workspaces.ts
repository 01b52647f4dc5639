import type { Logger } from '../../src/log.ts';
import { asText } from '../json.ts';
import type { SlackSelf } from './message.ts';
import { createSlackWeb } from './web.ts';
import type { SlackWeb } from './web.ts';

/** One workspace (or Grid organisation) that installed the app: how it is called, and as whom. */
export interface SlackWorkspace {
  readonly self: SlackSelf;
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
  let known: Promise<SlackWorkspace> | null = null;

  const ask = async (signal: AbortSignal): Promise<SlackWorkspace> => {
    const answer = await web.call('auth.test', {}, signal);
    const self = {
      teamId: asText(answer['team_id']) ?? '',
      userId: asText(answer['user_id']) ?? '',
      botId: asText(answer['bot_id']) ?? '',
    };
    return { self, web, token: deps.botToken };
  };

  return {
    open: (_workspaceId, signal) => {
      known ??= ask(signal).catch((error: unknown) => {
        known = null;
        throw error;
      });
      return known;
    },
  };
}
