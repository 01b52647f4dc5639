import { AppError } from '../src/errors.ts';
import { type Endpoint, endpointName } from './endpoint.ts';
import { engineCallMs } from './limits.ts';

/** What failures are told about: which engine, which image. */
export interface EngineCallContext {
  /** Null for the usual place. */
  readonly endpoint: Endpoint | null;
  readonly image: string;
}

/** One engine call under a time limit; with a context, failures come in words (`AppError`). */
export async function call<T>(promise: Promise<T>, context: EngineCallContext | null = null): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new EngineTimeout()), engineCallMs);
  try {
    return await Promise.race([promise, late]);
  } catch (error) {
    throw context === null ? error : explain(error, context);
  } finally {
    clearTimeout(timer);
  }
}

export class EngineTimeout extends Error {
  constructor() {
    super(`the Docker engine did not answer within ${engineCallMs} ms`);
    this.name = 'EngineTimeout';
  }
}

/** The HTTP status of the engine's refusal; null where it did not answer. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : null;
}

function explain(error: unknown, context: EngineCallContext): AppError {
  const detail = error instanceof Error ? error.message : String(error);
  const status = statusOf(error);
  const host = context.endpoint === null ? null : endpointName(context.endpoint);
  if (status === 404 && /no such image/i.test(detail)) {
    const words =
      host === null
        ? `The sandbox image ${context.image} is not on this Docker engine. Build it with: npm run setup`
        : `The sandbox image ${context.image} is not on the Docker engine at ${host}. Build it there with: DOCKER_HOST=${host} npm run setup`;
    return new AppError('sandbox-image-missing', words, { cause: error, detail: `${words} (${detail})` });
  }
  if (status === null) return unreachable(error, detail, host);
  return new AppError(
    'sandbox-failed',
    'Docker could not start a sandbox. The reason is in the log; asking again may work.',
    {
      cause: error,
      detail,
      retryable: true,
    },
  );
}

function unreachable(error: unknown, detail: string, host: string | null): AppError {
  const words = host === null ? wordsHere(error) : wordsElsewhere(error, detail, host);
  return new AppError('docker-unavailable', words, {
    cause: error,
    detail: host === null ? detail : words,
    retryable: true,
  });
}

function wordsHere(error: unknown): string {
  if (error instanceof EngineTimeout) return 'Docker does not answer. Look at it with: docker info';
  if (isForbidden(error)) {
    return 'Docker runs, but this user may not use it. Allow it, then log in again: sudo usermod -aG docker "$USER"';
  }
  return 'Docker is not running, or not where I look for it. Start it with: sudo systemctl start docker (or open Docker Desktop). If it is not installed: npm run setup';
}

function wordsElsewhere(error: unknown, detail: string, host: string): string {
  if (isForbidden(error)) return `The Docker engine at ${host} runs, but this user may not use it.`;
  return `The Docker engine at ${host} cannot be reached (${detail}). Look at it with: docker -H ${host} info`;
}

function isForbidden(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'EACCES' || code === 'EPERM';
}

/** The engine would not start it, or was at it for too long: some platforms of gVisor hang where they do not work. */
export function isRefusedStart(error: unknown): error is AppError {
  return error instanceof AppError && (error.code === 'sandbox-failed' || error.cause instanceof EngineTimeout);
}
