import { expect, it } from 'vitest';
import type { ModelConfig } from '../../src/config.ts';
import { createResponsesModel } from '../../src/models/openai-responses.ts';
import type { ModelMessage } from '../../src/ports/model.ts';
import { modelContract, silentLog, turnOf } from '../contract/model-contract.ts';
import { responsesWire } from '../fakes/openai-wire.ts';
import { events, refuse, startScriptedHttp } from '../fakes/scripted-http.ts';

modelContract('Responses', createResponsesModel, responsesWire);

function configFor(baseUrl: string, model = 'test-model'): ModelConfig {
  return { apiKey: 'k', baseUrl, model, api: 'responses', timeoutMs: 5000 };
}

const call = { id: 'call_a', name: 'run_python', argumentsText: '{"code":"1"}' };
const question: ModelMessage = { role: 'user', text: 'Total?' };

it('stores nothing on the server and replays its items, without ids, to the same model only', async () => {
  await using server = await startScriptedHttp();
  server.script(events(responsesWire.calls([call], 'I look.')));
  const { finish } = await turnOf(createResponsesModel(configFor(server.url), silentLog));
  expect(server.requests[0]?.body).toMatchObject({ store: false, include: ['reasoning.encrypted_content'] });

  const messages = [question, finish.message, { role: 'tool', callId: 'call_a', text: 'ok' } as const];
  server.script(events(responsesWire.text(['1'])), events(responsesWire.text(['1'])));
  await turnOf(createResponsesModel(configFor(server.url), silentLog), messages);
  await turnOf(createResponsesModel(configFor(server.url, 'another'), silentLog), messages);
  expect(server.requests[1]?.body).toMatchObject({
    input: [
      { role: 'user' },
      { type: 'reasoning', encrypted_content: 'sealed-0' },
      { type: 'message', role: 'assistant' },
      { type: 'function_call', call_id: 'call_a' },
      { type: 'function_call_output', call_id: 'call_a', output: 'ok' },
    ],
  });
  expect(JSON.stringify(server.requests[1]?.body)).not.toContain('rs_0');
  expect(server.requests[2]?.body).toMatchObject({
    input: [
      { role: 'user' },
      { role: 'assistant', content: 'I look.' },
      { type: 'function_call', call_id: 'call_a', name: 'run_python', arguments: '{"code":"1"}' },
      { type: 'function_call_output', call_id: 'call_a' },
    ],
  });
});

it('stops asking for reasoning when the model has none', async () => {
  await using server = await startScriptedHttp();
  const model = createResponsesModel(configFor(server.url), silentLog);
  server.script(
    refuse(400, { error: { message: 'Encrypted content is not supported with this model.' } }),
    events(responsesWire.text(['1'])),
    events(responsesWire.text(['2'])),
  );
  expect((await turnOf(model)).finish.message.text).toBe('1');
  expect((await turnOf(model)).finish.message.text).toBe('2');
  expect(server.requests.map(({ body }) => 'include' in (body as object))).toEqual([true, false, false]);
});
