import { describe, expect, test } from 'vitest';
import { createStatusSigns } from '../../adapters/slack/status.ts';
import { createLogger } from '../../src/log.ts';
import { slackError } from '../../adapters/slack/errors.ts';
import { WebAPIPlatformError } from '@slack/web-api';
import type { ThreadRef } from '../../src/types.ts';
import { createMemorySlack, rateLimited } from '../fakes/memory-slack.ts';
import type { StreamBehaviour } from '../fakes/slack-fake-streams.ts';

const thread: ThreadRef = { platform: 'slack', workspaceId: 'T1', channelId: 'C1', threadId: '1.1' };
const refusal = new WebAPIPlatformError({ ok: false, error: 'not_now', response_metadata: {} });
const signal = AbortSignal.timeout(20_000);

function createSigns(behaviour: StreamBehaviour) {
  let nowMs = 1_000_000;
  const slack = createMemorySlack(behaviour);
  const signs = createStatusSigns({ log: createLogger('silent'), now: () => nowMs, settleMs: 1 });
  return {
    slack,
    set: (text: string | null, where = thread) => signs.set(slack.web, where, text, signal),
    refresh: () => signs.refresh(slack.web, thread, signal),
    said: () => slack.calls.map(({ method, args }) => `${method.split('.')[0]}: ${String(args['status'])}`),
    later: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('Slack: the "is working" sign', () => {
  test('an agent’s session is processing while it works', async () => {
    const { slack, set, refresh, said, later } = createSigns({ sessions: true, statuses: true });
    await set('is working …');
    later(600_000);
    await refresh();
    await set(null);
    expect(said()).toEqual(['agents: processing', 'agents: active']);
    expect(slack.calls[0]?.args).toMatchObject({ channel_id: 'C1', thread_ts: '1.1' });
  });

  test('without sessions it is a status, set again before it expires, at most every 90 s', async () => {
    const { set, refresh, said, later } = createSigns({ statuses: true });
    await set('is working …');
    later(60_000);
    await refresh();
    later(31_000);
    await refresh();
    await refresh();
    await set(null);
    later(600_000);
    await refresh();
    const status = 'assistant: is working …';
    expect(said()).toEqual(['agents: processing', status, status, 'assistant: ']);
  });

  test('a workspace with neither is asked once in ten minutes; another one is asked anyway', async () => {
    const { set, said, later } = createSigns({});
    for (const text of ['works', null, 'works', null]) await set(text);
    expect(said()).toHaveLength(2);
    await set('works', { ...thread, workspaceId: 'T2' });
    expect(said()).toHaveLength(4);
    later(11 * 60_000);
    await set('works');
    expect(said()).toHaveLength(6);
  });

  test('what was set is cleared, also where Slack refuses it the first time', async () => {
    const { slack, set, said } = createSigns({ statuses: true });
    await set('works');
    const before = said().length;
    slack.fail = (method, earlier) =>
      method === 'assistant.threads.setStatus' && earlier === 1 ? slackError(refusal, method) : null;
    await set(null);
    expect(said().slice(before)).toEqual(['assistant: ', 'assistant: ']);
  });

  test('a clearing that fails is tried again; nothing ever rejects', async () => {
    const { slack, set, said } = createSigns({ sessions: true });
    slack.fail = (_method, earlier) => (earlier < 2 ? 'lost' : null);
    await set(null);
    expect(said()).toEqual(['agents: active', 'agents: active', 'agents: active']);
    slack.fail = () => rateLimited(60_000);
    await expect(set('works')).resolves.toBeUndefined();
    await expect(set(null)).resolves.toBeUndefined();
  });
});
