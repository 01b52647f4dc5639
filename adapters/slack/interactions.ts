import type { App } from '@slack/bolt';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformClient } from '../../src/ports.ts';
import { createActions } from './actions.ts';
import type { Home } from './home.ts';
import { questionCallbackId } from './question-view.ts';
import { analyzeCallbackId, createShortcut, placed } from './shortcut.ts';
import { createSlash } from './slash.ts';
import { createDesk, readVisit } from './visit.ts';
import type { Visit } from './visit.ts';
import type { SlackWorkspaces } from './workspaces.ts';

/** Why the person may not use the bot there, in words; `null`: they may. */
export type SlackAccess = (
  who: {
    readonly workspaceId: string;
    readonly channelId: string | null;
    readonly userId: string;
    readonly userTeamId: string | null;
  },
  signal: AbortSignal,
) => Promise<string | null>;

const accessTimeoutMs = 10_000;

/**
 * Buttons, views, the shortcut and the slash command: each is acknowledged at once and worked on afterwards, by people who may.
 */
export function listenToSurfaces(
  app: App,
  deps: {
    readonly workspaces: SlackWorkspaces;
    readonly handlers: GatewayHandlers;
    readonly client: PlatformClient;
    readonly home: Home;
    readonly access: SlackAccess;
    readonly log: Logger;
  },
): { drain(): Promise<void> } {
  const { access, log } = deps;
  const desk = createDesk(deps.workspaces);
  const act = createActions({ ...deps, desk });
  const shortcut = createShortcut({ ...deps, desk });
  const slash = createSlash(deps);
  const underWay = new Set<Promise<void>>();

  const refusalOf = ({ workspaceId, channelId, userId, userTeamId }: Visit): Promise<string | null> =>
    access({ workspaceId, channelId, userId, userTeamId }, AbortSignal.timeout(accessTimeoutMs));

  /** Resolves once it is worked on, whatever came of it. */
  const work = (body: unknown, on: (visit: Visit) => Promise<void>): Promise<void> => {
    const visit = readVisit(body);
    if (visit === null) return Promise.resolve();
    const settled: Promise<void> = on(visit)
      .catch((error: unknown) => log.error({ action: visit.actionId, error: String(error) }, 'a click failed'))
      .finally(() => underWay.delete(settled));
    underWay.add(settled);
    return settled;
  };

  const admitted =
    (on: (visit: Visit) => Promise<void>) =>
    async (visit: Visit): Promise<void> => {
      const refusal = await refusalOf(visit);
      await (refusal === null ? on(visit) : desk.tell(visit, refusal));
    };

  app.action(/./, async ({ ack, body }) => {
    await ack();
    await work(body, admitted(act));
  });
  app.shortcut(analyzeCallbackId, async ({ ack, body }) => {
    await ack();
    await work(
      body,
      admitted((visit) => shortcut.asked(visit)),
    );
  });
  app.view(questionCallbackId, async ({ ack, body }) => {
    await ack();
    const submit = admitted((visit) => shortcut.submitted(visit));
    await work(body, (visit) => submit(placed(visit)));
  });
  app.command(/./, async ({ ack, body, respond }) => {
    await ack();
    await work(body, async (visit) => {
      const refusal = await refusalOf(visit);
      const { text, blocks } = refusal === null ? await slash(visit) : { text: refusal, blocks: [] };
      const known = blocks.length === 0 ? {} : { blocks: blocks as never };
      await respond({ response_type: 'ephemeral', text, ...known });
    });
  });

  return {
    drain: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
