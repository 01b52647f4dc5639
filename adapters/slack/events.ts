import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Rest } from './acknowledge.ts';
import { workspaceIdOf } from './envelope.ts';
import type { Home } from './home.ts';
import type { Intake } from './intake.ts';
import { asObject, asText } from '../json.ts';

/** The app was removed from a workspace (`all`), or these users' tokens were taken back. */
export type OnUninstalled = (
  workspaceId: string,
  tokens: 'all' | { readonly bot: readonly string[]; readonly users: readonly string[] },
) => Promise<void>;

/** Sorts the events that the manifest subscribes to. Resolves and rejects like `Intake.hear`. */
export function createEvents(deps: {
  readonly intake: Intake;
  readonly home: Home;
  readonly handlers: GatewayHandlers;
  readonly onUninstalled: OnUninstalled | null;
}): (body: unknown) => Promise<Rest> {
  return async (body) => {
    const envelope = asObject(body);
    const event = asObject(envelope['event']);
    switch (event['type']) {
      case 'app_mention':
      case 'message':
      case 'file_shared':
        return await deps.intake.hear(envelope);
      case 'agent_session_stopped': {
        const channelId = asText(event['channel']);
        const threadId = asText(event['thread_ts']);
        if (channelId === null || threadId === null) return null;
        const thread = { platform: 'slack', workspaceId: workspaceIdOf(envelope), channelId, threadId };
        await deps.handlers.onCancel(thread, asText(event['user']) ?? '');
        return null;
      }
      case 'app_home_opened':
      case 'assistant_thread_started':
        return () => deps.home.opened(envelope);
      case 'app_uninstalled':
        await deps.onUninstalled?.(workspaceIdOf(envelope), 'all');
        return null;
      case 'tokens_revoked': {
        const tokens = asObject(event['tokens']);
        const idsOf = (kind: string): readonly string[] => [tokens[kind]].flat().flatMap((id) => asText(id) ?? []);
        await deps.onUninstalled?.(workspaceIdOf(envelope), { bot: idsOf('bot'), users: idsOf('oauth') });
        return null;
      }
      default:
        return null;
    }
  };
}
