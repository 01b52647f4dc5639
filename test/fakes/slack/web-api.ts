import type { Json, SlackFileState, SlackMessageState, SlackWorkspaceState } from './workspace.ts';

/** What a method answers, beside `ok`. */
type Method = (args: Json) => Json;

/** Slack refuses the call with this code. */
export class SlackRefusal extends Error {}

/** Slack closes a stream by itself after about five minutes. */
const streamLifeMs = 300_000;

const maxStreamCharacters = 12_000;
const pageSize = 200;

export interface WebApiOptions {
  /** Problems with a message or view as Slack would see them: such a call is refused. */
  readonly problemsOf: (content: Json, surface: 'message' | 'modal' | 'home') => readonly string[];
  readonly hasStreams: boolean;
  readonly origin: () => string;
  /** How long after the answer a shared file shows up in its channel, in ms. */
  readonly shareDelayMs: number;
}

/** The Web API over one workspace. Knows the errors that its callers must live with; rate limits and faults are put in its way. */
export function createWebApi(state: SlackWorkspaceState, options: WebApiOptions): Readonly<Record<string, Method>> {
  const checked = (content: Json, surface: 'message' | 'modal' | 'home'): void => {
    if (options.problemsOf(content, surface).length > 0) throw new SlackRefusal('invalid_blocks');
  };

  const found = (args: Json): SlackMessageState => {
    const message = state.find(String(args['channel']), String(args['ts']));
    if (message === null) throw new SlackRefusal('message_not_found');
    return message;
  };

  const ours = (args: Json): SlackMessageState => {
    const message = found(args);
    if (!message.byBot) throw new SlackRefusal('cant_update_message');
    return message;
  };

  const inThread = (args: Json): { readonly threadTs?: string } => {
    const threadTs = args['thread_ts'];
    if (typeof threadTs !== 'string') return {};
    const parent = state.find(String(args['channel'] ?? args['channel_id']), threadTs);
    // Slack threads under the root; a reply's own time stamp is no thread.
    if (parent !== null && parent.threadTs !== threadTs) throw new SlackRefusal('invalid_thread_ts');
    return { threadTs };
  };

  const byBot = (args: Json) => ({
    channel: String(args['channel'] ?? args['channel_id']),
    user: state.botUserId,
    byBot: true,
    text: textOf(args['text']),
    blocks: (args['blocks'] ?? []) as readonly Json[],
    metadata: (args['metadata'] ?? null) as Json | null,
    ...inThread(args),
  });

  const openStream = (args: Json): SlackMessageState => {
    const message = found(args);
    const since = message.streamingSinceMs;
    if (since === null || Date.now() - since > streamLifeMs) throw new SlackRefusal('message_not_in_streaming_state');
    return message;
  };

  const append = (message: SlackMessageState, args: Json): void => {
    for (const chunk of (args['chunks'] ?? []) as readonly Json[]) {
      if (chunk['type'] === 'blocks') message.blocks = [...message.blocks, ...(chunk['blocks'] as readonly Json[])];
      const key = chunk['type'] === 'task_update' ? String(chunk['id']) : String(chunk['type']);
      message.cards.set(key, chunk);
    }
    if (JSON.stringify([...message.cards.values()]).length > maxStreamCharacters)
      throw new SlackRefusal('msg_too_long');
    message.edits += 1;
  };

  const streamed =
    (method: Method): Method =>
    (args) => {
      if (!options.hasStreams) throw new SlackRefusal('unknown_method');
      return method(args);
    };

  return {
    'auth.test': () => ({ team_id: state.teamId, user_id: state.botUserId, bot_id: state.botId }),
    'users.info': (args) => {
      const user = state.users.get(String(args['user']));
      if (user === undefined) throw new SlackRefusal('user_not_found');
      return { user };
    },
    'conversations.info': (args) => ({ channel: { id: args['channel'], is_ext_shared: false } }),
    'conversations.replies': (args) => {
      const oldest = Number(args['oldest'] ?? 0);
      const latest = Number(args['latest'] ?? Infinity);
      const all = state
        .thread(String(args['channel']), String(args['ts']))
        .filter(({ ts }) => Number(ts) >= oldest && Number(ts) <= latest);
      if (all.length === 0 && oldest === 0) throw new SlackRefusal('thread_not_found');
      const start = Number(args['cursor'] ?? 0);
      const size = Math.min(Number(args['limit'] ?? pageSize), pageSize);
      const next = start + size < all.length ? String(start + size) : '';
      const messages = all.slice(start, start + size).map((message) => shown(message, args, state, options));
      return { messages, response_metadata: { next_cursor: next } };
    },
    'chat.postMessage': (args) => {
      checked(args, 'message');
      const message = state.add(byBot(args));
      return { channel: message.channel, ts: message.ts, message: shown(message, {}, state, options) };
    },
    'chat.postEphemeral': (args) => {
      checked(args, 'message');
      const { channel, user, text, blocks } = args;
      state.ephemerals.push({
        channel: String(channel),
        user: String(user),
        text: textOf(text),
        blocks: (blocks ?? []) as readonly Json[],
      });
      return { message_ts: state.nextTs() };
    },
    'chat.update': (args) => {
      const message = ours(args);
      if (message.streamingSinceMs !== null && Date.now() - message.streamingSinceMs <= streamLifeMs) {
        throw new SlackRefusal('streaming_state_conflict');
      }
      checked(args, 'message');
      message.text = textOf(args['text']);
      message.blocks = (args['blocks'] ?? []) as readonly Json[];
      message.edits += 1;
      return { channel: message.channel, ts: message.ts };
    },
    'chat.delete': (args) => {
      state.remove(String(args['channel']), ours(args).ts);
      return { ts: args['ts'] };
    },
    'chat.getPermalink': (args) => ({
      permalink: `https://test.slack.com/archives/${String(args['channel'])}/p${String(args['message_ts'])}`,
    }),
    'chat.startStream': streamed((args) => {
      const message = state.add({ ...byBot(args), streamingSinceMs: Date.now() });
      append(message, args);
      return { channel: message.channel, ts: message.ts };
    }),
    'chat.appendStream': streamed((args) => {
      append(openStream(args), args);
      return { ts: args['ts'] };
    }),
    'chat.stopStream': streamed((args) => {
      const message = openStream(args);
      append(message, args);
      message.streamingSinceMs = null;
      message.blocks = [...message.blocks, ...((args['blocks'] ?? []) as readonly Json[])];
      return { ts: args['ts'] };
    }),
    'assistant.threads.setStatus': (args) => {
      state.statuses.set(`${String(args['channel_id'])} ${String(args['thread_ts'])}`, textOf(args['status']));
      return {};
    },
    'assistant.threads.setSuggestedPrompts': () => ({}),
    'views.open': (args) => {
      checked(args['view'] as Json, 'modal');
      state.views.push({ kind: 'open', view: args['view'] as Json, user: null });
      return { view: { id: state.nextId('V') } };
    },
    'views.publish': (args) => {
      checked(args['view'] as Json, 'home');
      state.views.push({ kind: 'publish', view: args['view'] as Json, user: String(args['user_id']) });
      return { view: { id: state.nextId('V') } };
    },
    'files.getUploadURLExternal': (args) => {
      const length = Number(args['length']);
      if (!(length > 0)) throw new SlackRefusal('missing_argument');
      const file: SlackFileState = {
        id: state.nextId('F'),
        name: String(args['filename']),
        sizeBytes: length,
        bytes: null,
        completed: false,
        shares: new Map(),
      };
      state.files.set(file.id, file);
      return { upload_url: `${options.origin()}/upload/${file.id}`, file_id: file.id };
    },
    'files.completeUploadExternal': (args) => complete(args, state, byBot, checked, options),
    'files.info': (args) => {
      const file = state.files.get(String(args['file']));
      if (file === undefined) throw new SlackRefusal('file_not_found');
      return { file: shownFile(file, options) };
    },
  };
}

function complete(
  args: Json,
  state: SlackWorkspaceState,
  byBot: (args: Json) => Parameters<SlackWorkspaceState['add']>[0],
  checked: (content: Json, surface: 'message') => void,
  options: WebApiOptions,
): Json {
  const files = ((args['files'] ?? []) as readonly Json[]).map(({ id }) => state.files.get(String(id)));
  const whole = files.filter((file): file is SlackFileState => file !== undefined && file.bytes !== null);
  if (whole.length < files.length || whole.length === 0) throw new SlackRefusal('file_not_found');
  const isShared = typeof args['channel_id'] === 'string';
  if (isShared && whole.some(({ shares }) => shares.size > 0)) throw new SlackRefusal('file_already_shared');
  const comment = textOf(args['initial_comment']);
  const blocks = comment === '' ? ((args['blocks'] ?? []) as readonly Json[]) : [];
  if (blocks.length > 0) checked({ blocks }, 'message');
  for (const file of whole) file.completed = true;
  if (isShared) {
    const share = (): void => {
      const message = state.add({ ...byBot(args), text: comment, blocks, metadata: null, files: whole });
      for (const { shares } of whole) shares.set(message.channel, message.ts);
    };
    if (options.shareDelayMs === 0) share();
    else setTimeout(share, options.shareDelayMs).unref();
  }
  return { files: whole.map((file) => ({ id: file.id, title: file.name })) };
}

export function shown(
  message: SlackMessageState,
  args: Json,
  state: SlackWorkspaceState,
  options: WebApiOptions,
): Json {
  return {
    type: 'message',
    ts: message.ts,
    ...(message.threadTs === message.ts ? {} : { thread_ts: message.threadTs }),
    user: message.user,
    ...(message.byBot ? { bot_id: state.botId } : {}),
    text: message.text,
    ...(message.blocks.length === 0 ? {} : { blocks: message.blocks }),
    ...(message.streamingSinceMs === null ? {} : { streaming_state: 'in_progress' }),
    ...(message.files.length === 0 ? {} : { files: message.files.map((file) => shownFile(file, options)) }),
    ...(args['include_all_metadata'] === true && message.metadata !== null ? { metadata: message.metadata } : {}),
  };
}

export function shownFile(file: SlackFileState, options: Pick<WebApiOptions, 'origin'>): Json {
  const url = `${options.origin()}/files/${file.id}`;
  return {
    id: file.id,
    name: file.name,
    title: file.name,
    size: file.sizeBytes,
    mimetype: file.completed ? 'application/octet-stream' : '',
    mode: 'hosted',
    url_private: url,
    url_private_download: url,
    shares: {
      public: Object.fromEntries([...file.shares].map(([channel, ts]) => [channel, [{ ts }]])),
    },
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
