import { createOwnerId } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import { createLogger } from '../../src/log.ts';

/** A process of its own that owns a sandbox, in an endless cell or suspended, to be killed by a test. */
const [, , image = '', runtime = 'runc', state = 'busy'] = process.argv;
const megabyte = 1024 * 1024;
const limits = { memoryBytes: 512 * megabyte, workspaceBytes: 128 * megabyte, cpus: 1, processes: 128 };
const ownerId = createOwnerId();
const provider = createDockerSandbox({
  endpoint: null,
  image,
  runtime: runtime === 'runsc' ? 'runsc' : 'runc',
  ownerId,
  limits,
  poolSize: 0,
  maxContainers: 1,
  log: createLogger('silent'),
});
const signal = new AbortController().signal;
const session = await provider.acquire(limits, signal);
const tell = (): void => {
  process.send?.({ ownerId, sessionId: session.id });
};
if (state === 'suspended') {
  await session.suspend();
  tell();
  setInterval(() => {}, 60_000);
} else {
  await session.run('import time\nprint("begun", flush=True)\nwhile True: time.sleep(0.01)', {
    timeoutMs: 120_000,
    signal,
    onOutput: tell,
  });
}
