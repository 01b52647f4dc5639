import { setTimeout as delay } from 'node:timers/promises';
import { asArray, asObject, asText } from '../json.ts';
import type { SlackWeb } from './web.ts';

/** By then the events of the message itself have come, if they come. */
const hintAfterMs = 3000;
const lookTimeoutMs = 10_000;
const rememberedFiles = 2000;

/** Uploads whose message never came as an event: Slack sometimes sends only `file_shared` for them. */
export interface LateFiles {
  /** A message with these files was heard: nothing has to be looked up for them. Only spares calls to Slack. */
  heard(fileIds: readonly string[]): void;
  /** Waits, then resolves to the messages that share the file in the channel; empty where they were heard. */
  messagesOf(web: () => Promise<SlackWeb>, fileId: string, channelId: string): Promise<readonly Share[]>;
  stop(): void;
}

export interface Share {
  readonly ts: string;
  readonly threadTs: string;
}

export function createLateFiles(options: { readonly afterMs?: number } = {}): LateFiles {
  const known = new Set<string>();
  const stopping = new AbortController();
  return {
    heard: (fileIds) => {
      if (known.size >= rememberedFiles) known.clear();
      for (const fileId of fileIds) known.add(fileId);
    },
    messagesOf: async (web, fileId, channelId) => {
      if (!known.has(fileId)) {
        await delay(options.afterMs ?? hintAfterMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
      if (known.has(fileId) || stopping.signal.aborted) return [];
      const answer = await (await web()).call('files.info', { file: fileId }, AbortSignal.timeout(lookTimeoutMs));
      const shares = Object.values(asObject(asObject(answer['file'])['shares'])).map(asObject);
      return shares
        .flatMap((ofKind) => asArray(ofKind[channelId]))
        .flatMap((raw) => {
          const ts = asText(asObject(raw)['ts']);
          return ts === null ? [] : [{ ts, threadTs: asText(asObject(raw)['thread_ts']) ?? ts }];
        });
    },
    stop: () => stopping.abort(),
  };
}
