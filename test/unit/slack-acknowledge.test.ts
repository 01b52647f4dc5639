import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createAcknowledgements } from '../../adapters/slack/acknowledge.ts';
import type { Rest } from '../../adapters/slack/acknowledge.ts';
import { createLogger } from '../../src/log.ts';

const log = createLogger('silent');

test('what is left to do begins after the acknowledgement, and is waited for', async () => {
  const order: string[] = [];
  const rest = async (): Promise<void> => {
    order.push('rest');
    await delay(20);
    order.push('done');
  };
  const acknowledgements = createAcknowledgements({ hear: async () => rest, log });
  const then = await acknowledgements.take({});
  order.push('acknowledged');
  then();
  await acknowledgements.drain();
  expect(order).toEqual(['acknowledged', 'rest', 'done']);
  await expect(acknowledgements.take({})).rejects.toThrow('stopping');
});

test('a failure in time is no acknowledgement, and is not tried again here', async () => {
  let heard = 0;
  const hear = async (): Promise<Rest> => {
    heard += 1;
    throw new Error('disk full');
  };
  const acknowledgements = createAcknowledgements({ hear, log, retryMs: 1 });
  await expect(acknowledgements.take({})).rejects.toThrow('disk full');
  await delay(30);
  expect(heard).toBe(1);
});

test('a failure after the time is tried again until the store has it', async () => {
  let heard = 0;
  let rests = 0;
  const hear = async (): Promise<Rest> => {
    heard += 1;
    if (heard === 1) await delay(60);
    if (heard < 4) throw new Error('connection lost');
    return async () => {
      rests += 1;
    };
  };
  const acknowledgements = createAcknowledgements({ hear, log, withinMs: 20, retryMs: 1 });
  const startedAt = performance.now();
  const then = await acknowledgements.take({});
  expect(performance.now() - startedAt).toBeLessThan(55);
  then();
  await expect.poll(() => rests).toBe(1);
  expect(heard).toBe(4);
  await acknowledgements.drain();
});

test('draining ends the retries', async () => {
  let heard = 0;
  const hear = async (): Promise<Rest> => {
    heard += 1;
    await delay(20);
    throw new Error('gone for good');
  };
  const acknowledgements = createAcknowledgements({ hear, log, withinMs: 5, retryMs: 60_000 });
  (await acknowledgements.take({}))();
  await expect.poll(() => heard).toBe(1);
  const startedAt = performance.now();
  await acknowledgements.drain();
  expect(performance.now() - startedAt).toBeLessThan(5000);
});
