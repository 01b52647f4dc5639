/** What a Slack workspace holds, as far as a bot can see and change it. Ids and time stamps look like Slack's. */

export type Json = Readonly<Record<string, unknown>>;

export interface SlackMessageState {
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string;
  readonly user: string;
  readonly byBot: boolean;
  text: string;
  blocks: readonly Json[];
  readonly files: readonly SlackFileState[];
  readonly metadata: Json | null;
  /** A native stream that is still open; since when, in ms. */
  streamingSinceMs: number | null;
  /** What a stream shows: its task cards by id, its plan's title. */
  readonly cards: Map<string, Json>;
  edits: number;
}

export interface SlackFileState {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  bytes: Uint8Array | null;
  /** Completed: known to Slack, though perhaps nowhere shared. */
  completed: boolean;
  /** Channel to `ts`. */
  readonly shares: Map<string, string>;
}

export interface SlackWorkspaceState {
  readonly teamId: string;
  readonly botUserId: string;
  readonly botId: string;
  readonly botToken: string;
  readonly messages: SlackMessageState[];
  readonly files: Map<string, SlackFileState>;
  readonly ephemerals: {
    readonly channel: string;
    readonly user: string;
    readonly text: string;
    readonly blocks: readonly Json[];
  }[];
  readonly views: { readonly kind: 'open' | 'publish'; readonly view: Json; readonly user: string | null }[];
  readonly statuses: Map<string, string>;
  readonly users: Map<string, Json>;
  nextTs(): string;
  nextId(prefix: string): string;
  find(channel: string, ts: string): SlackMessageState | null;
  thread(channel: string, rootTs: string): readonly SlackMessageState[];
  add(
    message: Pick<SlackMessageState, 'channel' | 'user' | 'byBot' | 'text'> & Partial<SlackMessageState>,
  ): SlackMessageState;
  remove(channel: string, ts: string): boolean;
}

export function createWorkspaceState(): SlackWorkspaceState {
  const messages: SlackMessageState[] = [];
  let counter = 0;
  let lastMicros = 0;

  const nextTs = (): string => {
    lastMicros = Math.max(lastMicros + 1, Date.now() * 1000);
    return `${Math.floor(lastMicros / 1e6)}.${String(lastMicros % 1e6).padStart(6, '0')}`;
  };

  return {
    teamId: 'T01TEST',
    botUserId: 'U0BOT',
    botId: 'B0BOT',
    botToken: 'xoxb-memory-slack',
    messages,
    files: new Map(),
    ephemerals: [],
    views: [],
    statuses: new Map(),
    users: new Map([['U0ADA', userOf('U0ADA', 'Ada Lovelace')]]),
    nextTs,
    nextId: (prefix) => `${prefix}${String((counter += 1)).padStart(6, '0')}`,
    find: (channel, ts) => messages.find((message) => message.channel === channel && message.ts === ts) ?? null,
    thread: (channel, rootTs) =>
      messages.filter((message) => message.channel === channel && message.threadTs === rootTs),
    add: (given) => {
      const ts = given.ts ?? nextTs();
      const message: SlackMessageState = {
        blocks: [],
        files: [],
        metadata: null,
        streamingSinceMs: null,
        cards: new Map(),
        edits: 0,
        threadTs: ts,
        ...given,
        ts,
      };
      messages.push(message);
      return message;
    },
    remove: (channel, ts) => {
      const index = messages.findIndex((message) => message.channel === channel && message.ts === ts);
      if (index === -1) return false;
      messages.splice(index, 1);
      return true;
    },
  };
}

export function userOf(id: string, name: string, more: Json = {}): Json {
  return { id, team_id: 'T01TEST', name, deleted: false, is_bot: false, profile: { display_name: name }, ...more };
}
