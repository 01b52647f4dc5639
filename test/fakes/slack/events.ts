import { createHmac, randomUUID } from 'node:crypto';
import { shownFile } from './web-api.ts';
import type { Json, SlackFileState, SlackMessageState, SlackWorkspaceState } from './workspace.ts';

/** A message of a person, with its files, as it appears in the channel. */
export function say(
  state: SlackWorkspaceState,
  given: {
    readonly text: string;
    readonly channel?: string;
    readonly user?: string;
    readonly threadTs?: string;
    readonly files?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  },
): SlackMessageState {
  const { text, channel = 'C0SALES', user = 'U0ADA', threadTs, files = [] } = given;
  const stored = files.map(({ name, bytes }): SlackFileState => {
    const id = state.nextId('F');
    const file = { id, name, sizeBytes: bytes.byteLength, bytes, completed: true, shares: new Map<string, string>() };
    state.files.set(id, file);
    return file;
  });
  const message = state.add({
    channel,
    user,
    byBot: false,
    text,
    files: stored,
    ...(threadTs === undefined ? {} : { threadTs }),
  });
  for (const { shares } of stored) shares.set(channel, message.ts);
  return message;
}

/** Bodies of the events Slack sends for a message that mentions the bot, each with an id of its own. */
export function eventsOf(
  message: SlackMessageState,
  state: SlackWorkspaceState,
  origin: string,
): { readonly mention: Json; readonly message: Json; readonly fileShared: readonly Json[] } {
  const base = {
    user: message.user,
    channel: message.channel,
    ts: message.ts,
    text: message.text,
    ...(message.threadTs === message.ts ? {} : { thread_ts: message.threadTs }),
  };
  const files = message.files.map((file) => shownFile(file, { origin: () => origin }));
  const withFiles = files.length === 0 ? {} : { files };
  const share = files.length === 0 ? {} : { subtype: 'file_share' };
  const kind = message.channel.startsWith('D') ? 'im' : 'channel';
  return {
    mention: envelope(state, { type: 'app_mention', ...base, ...withFiles }),
    message: envelope(state, { type: 'message', channel_type: kind, ...base, ...share, ...withFiles }),
    fileShared: message.files.map(({ id }) =>
      envelope(state, { type: 'file_shared', file_id: id, channel_id: message.channel, user_id: message.user }),
    ),
  };
}

export function envelope(state: SlackWorkspaceState, event: Json): Json {
  return {
    type: 'event_callback',
    team_id: state.teamId,
    api_app_id: 'A0PLOTLINE',
    event_id: `Ev${randomUUID()}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [{ enterprise_id: null, team_id: state.teamId, user_id: state.botUserId, is_bot: true }],
    event,
  };
}

export interface Delivered {
  /** `null`: the connection broke. */
  readonly status: number | null;
  readonly ms: number;
}

/** Sends a body as Slack does: signed with version v0 of its scheme, on a retry with its headers. */
export async function deliver(
  target: { readonly url: string; readonly signingSecret: string },
  body: Json,
  retry: { readonly number: number; readonly reason: string } | null = null,
): Promise<Delivered> {
  const isEvent = body['type'] === 'event_callback';
  const text = isEvent ? JSON.stringify(body) : new URLSearchParams({ payload: JSON.stringify(body) }).toString();
  const startedAt = performance.now();
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      body: text,
      headers: {
        ...signed(text, target.signingSecret),
        'content-type': isEvent ? 'application/json' : 'application/x-www-form-urlencoded',
        ...(retry === null ? {} : { 'x-slack-retry-num': String(retry.number), 'x-slack-retry-reason': retry.reason }),
      },
    });
    await response.arrayBuffer();
    return { status: response.status, ms: performance.now() - startedAt };
  } catch {
    return { status: null, ms: performance.now() - startedAt };
  }
}

export function signed(text: string, signingSecret: string): Readonly<Record<string, string>> {
  const at = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', signingSecret).update(`v0:${at}:${text}`).digest('hex');
  return { 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${signature}` };
}
