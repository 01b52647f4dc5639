import type { App } from '@slack/bolt';
import { toAppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformClient } from '../../src/ports/platforms.ts';
import type { SlackAccess } from './access.ts';
import { createActions } from './actions.ts';
import type { Home } from './home.ts';
import { questionCallbackId } from './question-view.ts';
import { analyzeCallbackId, createShortcut, placed } from './shortcut.ts';
import { createSlash } from './slash.ts';
import type { SlashAnswer } from './slash.ts';
import { escapeText } from './text.ts';
import { createDesk, readVisit } from './visit.ts';
import type { Visit } from './visit.ts';
import type { SlackWorkspaces } from './workspaces.ts';

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

  /** Resolves once it is worked on, whatever came of it; where that failed, the person is told by `say`. */
  const work = (
    body: unknown,
    on: (visit: Visit) => Promise<void>,
    say: (visit: Visit, text: string) => Promise<unknown> = (visit, text) => desk.tell(visit, text),
  ): Promise<void> => {
    const visit = readVisit(body);
    if (visit === null) return Promise.resolve();
    const settled: Promise<void> = on(visit)
      .catch(async (error: unknown) => {
        log.error({ action: visit.actionId, error: String(error) }, 'a click failed');
        await say(visit, `That did not work: ${toAppError(error).userMessage} Try it once more.`);
      })
      .catch((error: unknown) => log.error({ action: visit.actionId, error: String(error) }, 'nobody could be told'))
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
    const answer = (text: string, blocks: SlashAnswer['blocks'] = []): Promise<unknown> =>
      respond({ response_type: 'ephemeral', text, ...(blocks.length === 0 ? {} : { blocks: blocks as never }) });
    const run = async (visit: Visit): Promise<void> => {
      const refusal = await refusalOf(visit);
      const { text, blocks } = refusal === null ? await slash(visit) : { text: escapeText(refusal), blocks: [] };
      await answer(text, blocks);
    };
    await work(body, run, (_visit, text) => answer(escapeText(text)));
  });

  return {
    drain: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
