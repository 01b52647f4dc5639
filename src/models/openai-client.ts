import OpenAI from 'openai';
import { Agent, fetch as undiciFetch } from 'undici';
import type { ModelConfig } from '../config.ts';

/** Time to establish a connection; a host that does not answer by then is not there. */
const connectTimeoutMs = 10_000;

/**
 * The SDK without its own ideas: no retries (the loop does them), no environment, no console. Its fetch has no time limits of
 * its own either, because the usual 300 s would cut a slow local model short of the configured limit.
 */
export function createOpenAiClient(config: ModelConfig): OpenAI {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: connectTimeoutMs } });
  const fetchWithoutLimits = (input: unknown, init: object = {}): unknown =>
    undiciFetch(input as string, { ...init, dispatcher });
  return new OpenAI({
    apiKey: config.apiKey,
    baseURL: config.baseUrl,
    organization: null,
    project: null,
    maxRetries: 0,
    // Above the limit for silence, so that there is one place where time runs out.
    timeout: config.timeoutMs * 2,
    logLevel: 'off',
    fetch: fetchWithoutLimits as typeof fetch,
  });
}

/** OpenAI's own service and Azure's copy of it take `max_completion_tokens`; their reasoning models refuse the older name. */
export function isOpenAiService(baseUrl: string): boolean {
  const { hostname } = new URL(baseUrl);
  return hostname === 'api.openai.com' || hostname.endsWith('.api.openai.com') || hostname.endsWith('.azure.com');
}
