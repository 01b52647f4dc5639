import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type {
  OutgoingFile,
  OutgoingMessage,
  PlatformClient,
  PostContext,
  PostReceipt,
} from '../../src/ports/platforms.ts';
import type { Artifact, ThreadRef } from '../../src/types.ts';
import { oneLine } from '../format.ts';
import type { SlackAccess } from './access.ts';
import { createAdmission } from './admission.ts';
import { downloadFile } from './download.ts';
import { slackCodeOf } from './errors.ts';
import { asText } from '../json.ts';
import { slackLimits, slackPlatformLimits } from './limits.ts';
import { readSource } from './message.ts';
import { createPace } from './pace.ts';
import { createPeople } from './people.ts';
import type { People } from './people.ts';
import { createPoster } from './poster.ts';
import { askedTs } from './post-plan.ts';
import type { PlannedFile, PostContent } from './post-plan.ts';
import { isInlineImage, renderMessage } from './render.ts';
import { escapeWithin } from './text.ts';
import { createStatusSigns } from './status.ts';
import { createProgressStreams } from './stream.ts';
import { readThread, toHistory } from './thread.ts';
import { refusedBeforehand } from './upload.ts';
import type { SlackWeb } from './web.ts';
import { isIdAlone, wholeFile } from './whole-file.ts';
import type { SlackWorkspaces } from './workspaces.ts';

export interface SlackClientOptions {
  readonly workspaces: SlackWorkspaces;
  readonly people?: People;
  /** Absent: everybody may ask. */
  readonly access?: SlackAccess;
  readonly apiUrl: string;
  readonly log: Logger;
  /** For Slack's Web API and downloads; the tests put faults in its way. */
  readonly fetch?: typeof globalThis.fetch;
  readonly settleMs?: number;
}

/** Files of earlier messages that are looked up, the newest: no more are taken from them for one question. */
const maxLookUps = 20;

/** Outbound Slack, for all workspaces, without state that a second process would need. */
export function createSlackClient(options: SlackClientOptions): PlatformClient {
  const { workspaces, apiUrl, log } = options;
  const settleMs = options.settleMs ?? 1000;
  const pace = createPace();
  const poster = createPoster({ log, settleMs });
  const admit = createAdmission({
    workspaces,
    people: options.people ?? createPeople(),
    access: options.access ?? (() => Promise.resolve(null)),
    log,
  });
  const streams = createProgressStreams({ log, now: Date.now, settleMs });
  const signs = createStatusSigns({ log, now: Date.now, settleMs });

  const webOf = async ({ workspaceId }: ThreadRef, signal: AbortSignal): Promise<SlackWeb> =>
    pace.of((await workspaces.open(workspaceId, signal)).web, workspaceId);

  return {
    limits: slackPlatformLimits,
    admit,

    post: async (thread, message, context) => {
      const web = await webOf(thread, context.signal);
      if (message.kind === 'refusal') return await whisper(web, thread, message, context);
      const artifacts = message.kind === 'reply' ? message.reply.artifacts : [];
      const given = message.kind === 'reply' ? message.files : [];
      const leavesFilesOut = given.length === 0 && artifacts.length > 0;
      const outgoing = leavesFilesOut ? artifacts.map(({ file }) => ({ file, open: noBytes })) : given;
      const plan = planFiles(
        outgoing.map((file, index) => ({
          outgoing: file,
          artifact: artifacts[index] ?? null,
        })),
      );
      const content: PostContent = {
        render: (images) => renderMessage(message, images),
        files: plan.files,
        leavesFilesOut,
        comment: null,
        isExact: message.kind === 'reply',
        isOnlySought: message.kind === 'progress' && !message.progress.running,
        stream:
          message.kind === 'progress'
            ? {
                start: (post) => streams.start(web, thread, message.progress, post),
                find: (messages, postId) => streams.find(messages, thread, postId),
              }
            : null,
      };
      const receipt = await poster.post(web, thread, content, context);
      return { parts: receipt.parts, notPosted: [...plan.notPosted, ...receipt.notPosted] };
    },

    edit: async (thread, messageId, message, signal) => {
      if (message.kind === 'reply') {
        throw new AppError('internal', 'A posted answer cannot be edited.', { detail: 'edit called with a reply' });
      }
      const web = await webOf(thread, signal);
      if (message.kind === 'progress') {
        await streams.edit(web, thread, messageId, message.progress, signal);
        if (message.progress.running) await signs.refresh(web, thread, signal);
        return;
      }
      const [first, ...rest] = renderMessage(message);
      if (first === undefined) return;
      const shortened = { type: 'context', elements: [{ type: 'plain_text', text: 'Shortened to fit one message.' }] };
      const blocks = rest.length === 0 ? first.blocks : [...first.blocks, shortened];
      await web.call('chat.update', { channel: thread.channelId, ts: messageId, text: first.text, blocks }, signal);
    },

    remove: async (thread, messageIds, signal) => {
      const web = await webOf(thread, signal);
      for (const ts of messageIds) {
        try {
          await web.call('chat.delete', { channel: thread.channelId, ts }, signal);
        } catch (error) {
          if (slackCodeOf(error) !== 'message_not_found') throw error;
        }
      }
    },

    upload: async (thread, files, text, context) => {
      const plan = planFiles(files.map((outgoing) => ({ outgoing, artifact: null })));
      const web = await webOf(thread, context.signal);
      const content: PostContent = {
        render: () => [],
        files: plan.files,
        leavesFilesOut: false,
        comment: text,
        isExact: false,
        isOnlySought: false,
        stream: null,
      };
      const receipt = await poster.post(web, thread, content, context);
      return { parts: receipt.parts, notPosted: [...plan.notPosted, ...receipt.notPosted] };
    },

    status: async (thread, text, signal) => {
      try {
        await signs.set(await webOf(thread, signal), thread, text, signal);
      } catch (error) {
        log.debug({ error: String(error) }, 'the status was not set');
      }
    },

    async *download(attachment, { maxBytes, signal }) {
      const workspaceId = readSource(attachment.source)?.workspaceId ?? '';
      const { web, token } = await workspaces.open(workspaceId, signal);
      const deps = { botToken: token, apiUrl, web, fetch: options.fetch ?? globalThis.fetch };
      yield* downloadFile(attachment, deps, { maxBytes, signal });
    },

    history: async (thread, { limit, signal }) => {
      const { web, self } = await workspaces.open(thread.workspaceId, signal);
      const messages = await readThread(web, thread, { signal });
      const history = toHistory(messages, self.userId, thread.workspaceId).slice(-limit);
      const open = history.flatMap(({ attachments }) => attachments.filter(isIdAlone)).slice(-maxLookUps);
      const at = { channelId: thread.channelId, personId: null, log };
      const looked = await Promise.all(open.map((attachment) => wholeFile(web, attachment, at)));
      const whole = new Map(looked.map((attachment) => [attachment.id, attachment]));
      return history.map((message) => ({
        ...message,
        attachments: message.attachments.map((attachment) => whole.get(attachment.id) ?? attachment),
      }));
    },
  };
}

/** Of a file that is only looked for. */
async function* noBytes(): AsyncGenerator<Uint8Array> {}

/** Only the person sees it; it is gone when they reload, and no second process can look whether it was said. */
async function whisper(
  web: SlackWeb,
  thread: ThreadRef,
  { personId, text }: Extract<OutgoingMessage, { kind: 'refusal' }>,
  context: PostContext,
): Promise<PostReceipt> {
  // Slack shows nobody what is said in a thread without a reply; a question that begins one has none.
  const isRoot = askedTs(context.postId) === Number(thread.threadId);
  const args = {
    channel: thread.channelId,
    ...(isRoot ? {} : { thread_ts: thread.threadId }),
    user: personId,
    text: escapeWithin(text, slackLimits.textCharacters),
  };
  const answer = await web.call('chat.postEphemeral', args, context.signal);
  const part = { partId: 'text-1', messageId: asText(answer['message_ts']) ?? '' };
  await context.onPosted(part);
  return { parts: [part], notPosted: [] };
}

/** Sorts out what Slack would refuse; the rest is what a post shows. */
function planFiles(files: readonly { readonly outgoing: OutgoingFile; readonly artifact: Artifact | null }[]): {
  readonly files: readonly PlannedFile[];
  readonly notPosted: PostReceipt['notPosted'];
} {
  const notPosted: { name: string; reason: string }[] = [];
  const planned: PlannedFile[] = [];
  for (const { outgoing, artifact } of files) {
    const { name } = outgoing.file;
    const tooMany = planned.length >= slackLimits.filesPerReply;
    const reason = tooMany
      ? `I post at most ${slackLimits.filesPerReply} files with one answer; ask for it on its own`
      : refusedBeforehand(outgoing.file);
    if (reason !== null) {
      notPosted.push({ name, reason });
      continue;
    }
    planned.push({
      outgoing,
      title: oneLine(artifact?.title ?? '') || name,
      artifact,
      isImage: artifact !== null && isInlineImage(artifact),
    });
  }
  return { files: planned, notPosted };
}
