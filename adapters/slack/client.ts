import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { OutgoingFile, PlatformClient, PostReceipt } from '../../src/ports.ts';
import type { Artifact } from '../../src/types.ts';
import { oneLine } from '../format.ts';
import { downloadFile } from './download.ts';
import { slackCodeOf } from './errors.ts';
import { asText } from './json.ts';
import { slackLimits, slackPlatformLimits } from './limits.ts';
import { createPoster } from './poster.ts';
import type { FileGroup } from './poster.ts';
import { commentText, renderMessage, uploadComment } from './render.ts';
import { readThread, toHistory } from './thread.ts';
import { refusedBeforehand } from './upload.ts';
import { createSlackWeb } from './web.ts';

export interface SlackClientOptions {
  readonly botToken: string;
  readonly apiUrl: string;
  readonly log: Logger;
  /** For Slack's Web API and downloads; the tests put faults in its way. */
  readonly fetch?: typeof globalThis.fetch;
  readonly settleMs?: number;
}

/** Outbound Slack: one client per bot token, without state that a second process would need. */
export function createSlackClient(options: SlackClientOptions): PlatformClient {
  const { botToken, apiUrl, log } = options;
  const web = createSlackWeb({ token: botToken, apiUrl, log, fetch: options.fetch });
  const poster = createPoster({ web, log, settleMs: options.settleMs ?? 1000 });
  let botUser: Promise<string> | null = null;
  let hasStatus = true;

  const botUserId = (signal: AbortSignal): Promise<string> => {
    botUser ??= web.call('auth.test', {}, signal).then(
      (answer) => asText(answer['user_id']) ?? '',
      (error: unknown) => {
        botUser = null;
        throw error;
      },
    );
    return botUser;
  };

  return {
    limits: slackPlatformLimits,

    post: async (thread, message, context) => {
      const texts = renderMessage(message);
      if (message.kind !== 'reply') return await poster.post(thread, { texts, groups: [] }, context);
      const plan = planFiles(
        message.files.map((outgoing, index) => ({ outgoing, artifact: message.reply.artifacts[index] ?? null })),
        null,
      );
      const receipt = await poster.post(thread, { texts, groups: plan.groups }, context);
      return { parts: receipt.parts, notPosted: [...plan.notPosted, ...receipt.notPosted] };
    },

    edit: async (thread, messageId, message, signal) => {
      if (message.kind === 'reply') {
        throw new AppError('internal', 'A posted answer cannot be edited.', { detail: 'edit called with a reply' });
      }
      const [first, ...rest] = renderMessage(message);
      if (first === undefined) return;
      const shortened = { type: 'context', elements: [{ type: 'plain_text', text: 'Shortened to fit one message.' }] };
      const blocks = rest.length === 0 ? first.blocks : [...first.blocks, shortened];
      await web.call('chat.update', { channel: thread.channelId, ts: messageId, text: first.text, blocks }, signal);
    },

    upload: async (thread, files, text, context) => {
      const plan = planFiles(
        files.map((outgoing) => ({ outgoing, artifact: null })),
        text,
      );
      const receipt = await poster.post(thread, { texts: [], groups: plan.groups }, context);
      return { parts: receipt.parts, notPosted: [...plan.notPosted, ...receipt.notPosted] };
    },

    status: async (thread, text, signal) => {
      if (!hasStatus) return;
      const args = { channel_id: thread.channelId, thread_ts: thread.threadId, status: text ?? '' };
      try {
        await web.call('assistant.threads.setStatus', args, signal);
      } catch (error) {
        // Not every workspace and plan has it; the progress message says the same.
        if (slackCodeOf(error) === 'unknown_method') hasStatus = false;
        log.debug({ error: String(error) }, 'the status was not set');
      }
    },

    download: (attachment, { maxBytes, signal }) =>
      downloadFile(
        attachment,
        { botToken, apiUrl, web, fetch: options.fetch ?? globalThis.fetch },
        { maxBytes, signal },
      ),

    history: async (thread, { limit, signal }) => {
      const [messages, self] = await Promise.all([readThread(web, thread, { signal }), botUserId(signal)]);
      return toHistory(messages, self).slice(-limit);
    },
  };
}

/** Sorts out what Slack would refuse, and puts the rest into as few messages as it can. */
function planFiles(
  files: readonly { readonly outgoing: OutgoingFile; readonly artifact: Artifact | null }[],
  comment: string | null,
): { readonly groups: readonly FileGroup[]; readonly notPosted: PostReceipt['notPosted'] } {
  const notPosted: { name: string; reason: string }[] = [];
  const taken: (typeof files)[number][] = [];
  for (const entry of files) {
    const tooMany = taken.length >= slackLimits.filesPerReply;
    const reason = tooMany
      ? `I post at most ${slackLimits.filesPerReply} files with one answer; ask for it on its own`
      : refusedBeforehand(entry.outgoing.file);
    if (reason === null) taken.push(entry);
    else notPosted.push({ name: entry.outgoing.file.name, reason });
  }
  const groups: FileGroup[] = [];
  for (let start = 0; start < taken.length; start += slackLimits.filesPerMessage) {
    const group = taken.slice(start, start + slackLimits.filesPerMessage);
    const artifacts = group.flatMap(({ artifact }) => artifact ?? []);
    groups.push({
      comment: comment === null ? uploadComment(artifacts) : start === 0 ? commentText(comment) : '',
      files: group.map(({ outgoing, artifact }) => ({
        outgoing,
        title: oneLine(artifact?.title ?? '') || outgoing.file.name,
      })),
    });
  }
  return { groups, notPosted };
}
