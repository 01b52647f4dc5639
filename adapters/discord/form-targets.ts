import { Routes } from 'discord.js';
import type { APIMessage, REST } from 'discord.js';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Draft } from '../../src/ports/store.ts';
import type { Attachment } from '../../src/types.ts';
import { asObject } from '../json.ts';
import { filesOf } from './attachments.ts';

/** The files that an open form asks about. `formId` is the id of the interaction that opened it. */
export interface FormTargets {
  /** In this process, at once. */
  remember(formId: string, files: readonly Attachment[]): void;
  /** In the store, for the process that the form is sent to. Never rejects: without it the message is read. */
  keep(formId: string): Promise<void>;
  /** `null`: they are not known any more. */
  filesFor(formId: string, message: { readonly channelId: string; readonly id: string }): Promise<Files>;
  /** The form was dealt with. Never rejects. */
  drop(formId: string): Promise<void>;
}

type Files = readonly Attachment[] | null;

/** Apart from the drafts that become questions by themselves. */
const platform = 'discord-form';
/** Forms that nobody sent in by then were closed. */
const keptMs = 60 * 60_000;
const rememberedTargets = 500;
/** Discord waits three seconds for the answer to the form. */
const readTimeoutMs = 1500;

/**
 * Discord shows the command the whole message, also where the bot may not read it otherwise; the form that is sent in has only its id.
 * So the files are kept meanwhile.
 */
export function createFormTargets(deps: {
  readonly handlers: Pick<GatewayHandlers, 'keepDraft' | 'drafts' | 'dropDraft'>;
  readonly rest: Pick<REST, 'get'>;
  readonly log: Logger;
}): FormTargets {
  const { handlers, log } = deps;
  const targets = new Map<string, readonly Attachment[]>();

  const stored = async (formId: string): Promise<Files> => {
    const drafts = await handlers.drafts(platform).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'the files of a form could not be looked up');
      return [];
    });
    const found = drafts.find(({ id }) => id === draftId(formId));
    return found === undefined ? null : (bodyOf(found).files ?? null);
  };

  const read = async (channelId: string, messageId: string): Promise<Files> => {
    try {
      const signal = AbortSignal.timeout(readTimeoutMs);
      const message = (await deps.rest.get(Routes.channelMessage(channelId, messageId), { signal })) as APIMessage;
      const files = filesOf(asObject(message));
      return files.length === 0 ? null : files;
    } catch (error) {
      log.warn({ channelId, messageId, error: String(error) }, 'the message of a form could not be read');
      return null;
    }
  };

  return {
    remember: (formId, files) => {
      const oldest = targets.keys().next().value;
      if (targets.size >= rememberedTargets && oldest !== undefined) targets.delete(oldest);
      targets.set(formId, files);
    },

    keep: async (formId) => {
      const files = targets.get(formId) ?? [];
      try {
        for (const draft of await handlers.drafts(platform)) {
          if (Date.now() - (bodyOf(draft).openedAtMs ?? 0) > keptMs) await handlers.dropDraft(draft.id);
        }
        if (files.length === 0) return;
        const body = { files, openedAtMs: Date.now() } as unknown as Draft['body'];
        await handlers.keepDraft({ id: draftId(formId), platform, body });
      } catch (error) {
        log.warn({ formId, error: String(error) }, 'the files of a form are kept in this process only');
      }
    },

    filesFor: async (formId, { channelId, id }) =>
      targets.get(formId) ?? (await stored(formId)) ?? (await read(channelId, id)),

    drop: async (formId) => {
      await handlers
        .dropDraft(draftId(formId))
        .catch((error: unknown) => log.warn({ formId, error: String(error) }, 'the files of a form are kept longer'));
    },
  };
}

function draftId(formId: string): string {
  return `discord-form-${formId}`;
}

function bodyOf({ body }: Draft): { readonly files?: readonly Attachment[]; readonly openedAtMs?: number } {
  return body as object;
}
