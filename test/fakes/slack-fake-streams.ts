import { failure } from './slack-fake-files.ts';
import type { CallThrough, SlackAnswer, SlackArguments } from './slack-faults.ts';

/** How a workspace treats native streams and statuses. Methods of a `null` feature are unknown there. */
export interface StreamBehaviour {
  /** The code that `chat.startStream` is refused with; `null`: it works. */
  readonly startRefusal?: string | null;
  /** Slack ends a stream after about five minutes. */
  readonly lifetimeMs?: number;
  /** `stopStream` and `appendStream` fail where all text together is longer. */
  readonly maxCharacters?: number;
  readonly sessions?: boolean;
  readonly statuses?: boolean;
  readonly now?: () => number;
}

type Chunk = Readonly<Record<string, unknown>> & { readonly type: string };

interface Stream {
  readonly startedAtMs: number;
  open: boolean;
  characters: number;
  title: string;
  readonly tasks: Map<string, Record<string, unknown>>;
  readonly blocks: unknown[];
}

/** Streams are messages of local-slack whose blocks are a plan, as Slack shows them; nothing else may change them while they run. */
export function createFakeStreams(behaviour: StreamBehaviour) {
  const now = behaviour.now ?? Date.now;
  const streams = new Map<string, Stream>();

  const add = (stream: Stream, chunks: readonly Chunk[]): SlackAnswer | null => {
    const characters = stream.characters + JSON.stringify(chunks).length;
    if (characters > (behaviour.maxCharacters ?? 12_000)) return failure('msg_too_long');
    stream.characters = characters;
    for (const chunk of chunks) {
      if (chunk.type === 'plan_update') stream.title = String(chunk['title']);
      else if (chunk.type === 'task_update') {
        const id = String(chunk['id']);
        stream.tasks.set(id, { ...stream.tasks.get(id), ...chunk, type: 'task_card', task_id: id, id: undefined });
      } else if (chunk.type === 'blocks') stream.blocks.push(...(chunk['blocks'] as unknown[]));
      else if (chunk.type !== 'markdown_text') return failure('invalid_chunks');
    }
    return null;
  };

  const shown = (stream: Stream): readonly unknown[] => [
    { type: 'plan', title: stream.title, tasks: [...stream.tasks.values()] },
    ...stream.blocks,
  ];

  const isOver = (stream: Stream): boolean =>
    !stream.open || now() - stream.startedAtMs > (behaviour.lifetimeMs ?? 300_000);

  const answer = async (method: string, args: SlackArguments, through: CallThrough): Promise<SlackAnswer | null> => {
    const ts = String(args['ts']);
    const stream = streams.get(ts);
    const chunks = (args['chunks'] ?? []) as readonly Chunk[];
    switch (method) {
      case 'chat.startStream': {
        if (typeof behaviour.startRefusal === 'string') return failure(behaviour.startRefusal);
        if (args['recipient_user_id'] === undefined) return failure('missing_recipient_user_id');
        if (args['recipient_team_id'] === undefined) return failure('missing_recipient_team_id');
        const begun: Stream = {
          startedAtMs: now(),
          open: true,
          characters: 0,
          title: '',
          tasks: new Map(),
          blocks: [],
        };
        const refused = add(begun, chunks);
        if (refused !== null) return refused;
        const { channel, thread_ts } = args;
        const posted = await through('chat.postMessage', { channel, thread_ts, text: '', blocks: shown(begun) });
        streams.set(String(posted['ts']), begun);
        return { ok: true, channel, ts: posted['ts'] };
      }
      case 'chat.appendStream':
      case 'chat.stopStream': {
        if (stream === undefined || isOver(stream)) return failure('message_not_in_streaming_state');
        const refused = add(stream, chunks);
        if (refused !== null) return refused;
        stream.open = method === 'chat.appendStream';
        await through('chat.update', { channel: args['channel'], ts, text: '', blocks: shown(stream) });
        return { ok: true, channel: args['channel'], ts };
      }
      case 'chat.update':
        return stream !== undefined && !isOver(stream) ? failure('streaming_state_conflict') : null;
      case 'agents.sessions.setStatus':
        return behaviour.sessions === true ? { ok: true } : failure('unknown_method');
      case 'assistant.threads.setStatus':
        return behaviour.statuses === true ? { ok: true } : failure('unknown_method');
      default:
        return null;
    }
  };

  return { answer };
}
