import { expect, it } from 'vitest';
import type { DiscordApi } from '../../adapters/discord/rest.ts';
import { createSelfId } from '../../adapters/discord/self-id.ts';

it('is asked once for all; one caller that is stopped leaves the others waiting, and a failure is asked anew', async () => {
  const answers: PromiseWithResolvers<unknown>[] = [];
  const api: DiscordApi = {
    call: () => {
      const answer = Promise.withResolvers<unknown>();
      answers.push(answer);
      return answer.promise;
    },
  };
  const selfId = createSelfId(api);
  const stopped = new AbortController();
  const { signal } = new AbortController();
  const [first, second] = [selfId(stopped.signal), selfId(signal)];
  stopped.abort(new Error('the task was stopped'));
  await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  await expect(selfId(stopped.signal)).rejects.toMatchObject({ code: 'cancelled' });
  answers[0]?.reject(new Error('down'));
  await expect(second).rejects.toThrow('down');
  const third = selfId(signal);
  answers[1]?.resolve({ id: '42' });
  expect(await third).toBe('42');
  expect(await selfId(signal)).toBe('42');
  expect(answers).toHaveLength(2);
});
