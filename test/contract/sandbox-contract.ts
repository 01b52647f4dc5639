import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { Bytes } from '../../src/ports/blobs.ts';
import type { SandboxLimits, SandboxProvider, SandboxSession } from '../../src/ports/sandbox.ts';
import { chartMime, type Execution, type MimeBundle, tableMime } from '../../src/types.ts';

/** What the suite needs beside the port: to look at, and take away, what the provider keeps its sessions in. */
export interface SandboxHarness {
  readonly provider: SandboxProvider;
  /** The pool's limits; memory of at least 400 MB and a workspace of at least 64 MB. */
  readonly limits: SandboxLimits;
  /** Ids of the sessions' containers that exist, those kept warm included. */
  existing(): Promise<readonly string[]>;
  /**
   * The code runs on a kernel of its own (gVisor): it does not show the flag for new privileges, limits bytes but not the number of files,
   * and where the machine refuses it another process it ends with everything in it.
   */
  readonly hasOwnKernel: boolean;
  /** Takes a session's container away, behind the provider's back. */
  destroy(sessionId: string): Promise<void>;
}

const never = new AbortController().signal;

/** Everything a `SandboxProvider` promises, on a real one. Python runs; nothing is simulated. */
export function sandboxContract(name: string, open: () => Promise<SandboxHarness>): void {
  describe(`sandbox provider: ${name}`, () => {
    let harness: SandboxHarness;
    /** Shared by the tests that leave it as they found it. */
    let shared: SandboxSession;

    const acquire = (): Promise<SandboxSession> => harness.provider.acquire(harness.limits, never);

    beforeAll(async () => {
      harness = await open();
      shared = await acquire();
    });
    afterAll(async () => {
      await harness?.provider[Symbol.asyncDispose]();
    });

    describe('cells', () => {
      it('keep their state from one to the next', async () => {
        await run(shared, 'import pandas as pd\nkept = pd.DataFrame({"a": [1, 2]})\ndef twice(x): return 2 * x');
        expect(textOf(await run(shared, 'int(twice(kept.a.sum()))'))).toBe('6');
      });

      it('give Python errors as data, with a traceback of the cell alone, and live on', async () => {
        const execution = await run(shared, 'survivor = 1\ndef fails():\n    return {}["missing"]\nfails()');
        expect(execution).toMatchObject({ status: 'error', error: { name: 'KeyError' } });
        expect(execution.error?.traceback).toContain('return {}["missing"]');
        expect(execution.error?.traceback).not.toContain('plotline');
        const syntax = await run(shared, 'for');
        expect(syntax).toMatchObject({ status: 'error', error: { name: 'SyntaxError' } });
        expect(textOf(await run(shared, 'survivor'))).toBe('1');
      });

      it('stream stdout and stderr while they run, each in order, subprocesses included', async () => {
        const heard: { stream: string; text: string; atMs: number }[] = [];
        const startedAt = performance.now();
        const execution = await shared.run(
          'import sys, time, subprocess\nprint("one")\nprint("tïme", file=sys.stderr)\nsys.stdout.flush()\ntime.sleep(0.5)\nsubprocess.run(["echo", "two"])\nprint("three", flush=True)',
          {
            timeoutMs: 20_000,
            signal: never,
            onOutput: (stream, text) => heard.push({ stream, text, atMs: performance.now() - startedAt }),
          },
        );
        expect(execution).toMatchObject({ status: 'ok', stdout: 'one\ntwo\nthree\n', stderr: 'tïme\n' });
        const spoken = (stream: string) =>
          heard
            .filter((piece) => piece.stream === stream)
            .map(({ text }) => text)
            .join('');
        expect([spoken('stdout'), spoken('stderr')]).toEqual([execution.stdout, execution.stderr]);
        expect(heard[0]?.atMs).toBeLessThan(execution.durationMs - 200);
      });

      it('show each matplotlib figure once, saved or not, and forget it', async () => {
        const execution = await run(
          shared,
          'import matplotlib.pyplot as plt\nfor n in range(2):\n    plt.figure()\n    plt.plot([1, n])\n    plt.title(f"figure {n}")\nplt.savefig("second.png")\nplt.show()',
        );
        expect(execution.status).toBe('ok');
        const images = withMime(execution, 'image/png');
        expect(images).toHaveLength(2);
        for (const { 'image/png': png } of images) {
          expect(
            Buffer.from(png as Uint8Array)
              .subarray(1, 4)
              .toString(),
          ).toBe('PNG');
          expect((png as Uint8Array).length).toBeGreaterThan(2000);
        }
        expect(images.every((bundle) => chartMime in bundle)).toBe(true);
        expect(execution.files.map(({ path }) => path)).toEqual(['second.png']);
        expect((await run(shared, 'None')).results).toEqual([]);
      });

      it('show a DataFrame as a table with its values', async () => {
        const execution = await run(
          shared,
          'import pandas as pd\npd.DataFrame({"city": ["Köln", None], "n": [1.5, 2]})',
        );
        const [bundle] = withMime(execution, tableMime);
        expect(bundle?.[tableMime]).toMatchObject({
          columns: [
            { name: 'city', type: 'text' },
            { name: 'n', type: 'number' },
          ],
          rows: [
            ['Köln', 1.5],
            [null, 2],
          ],
          rowCount: 2,
        });
      });

      it('show a plotly figure as a page that needs no network', async () => {
        const execution = await run(shared, 'import plotly.express as px\npx.bar(x=["a", "b"], y=[1, 3])', 30_000);
        const [bundle] = withMime(execution, 'text/html');
        const html = bundle?.['text/html'] as string;
        expect(html.length).toBeGreaterThan(1_000_000);
        expect(html).not.toMatch(/<script[^>]+src=/);
      });

      it('may say anything: a flood, a giant line and broken text stay bounded', async () => {
        const flood = await run(
          shared,
          'import sys\nfor _ in range(300):\n    sys.stdout.write("x" * 100_000)\nsys.stdout.buffer.write(b"\\xff\\xfe broken \\xc3")\nsys.stdout.flush()',
          30_000,
        );
        expect(flood).toMatchObject({ status: 'ok', truncated: true });
        expect(flood.stdout.length + flood.stderr.length).toBeLessThan(1_200_000);
        const broken = await run(shared, 'import sys\nsys.stdout.buffer.write(b"ok \\xff\\xc3")\nsys.stdout.flush()');
        expect(broken.stdout).toMatch(/^ok .+/);
      });
    });

    describe('files', () => {
      it('go in under any name, and what a cell makes or changes comes out the same', async () => {
        const bytes = randomBytes(3_000_000);
        const written = await shared.write('Übersicht (Köln) 表.bin', chunked(bytes), never);
        expect(written).toEqual({ sizeBytes: bytes.length, sha256: sha256Of(bytes) });
        const copied = await run(
          shared,
          'import os\nos.makedirs("out dir", exist_ok=True)\ndata = open("Übersicht (Köln) 表.bin", "rb").read()\nopen("out dir/reversed ✓.bin", "wb").write(data[::-1])\nlen(data)',
        );
        const reversed = Buffer.from(bytes.toReversed());
        expect(copied.files).toEqual([
          {
            path: 'out dir/reversed ✓.bin',
            sizeBytes: bytes.length,
            sha256: sha256Of(reversed),
            change: 'new',
            formulas: null,
          },
        ]);
        const read = await readAll(shared.read('out dir/reversed ✓.bin', { maxBytes: 3_000_000, signal: never }));
        expect(read.equals(reversed)).toBe(true);
        const changed = await run(shared, 'open("out dir/reversed ✓.bin", "ab").write(b"!")');
        expect(changed.files).toMatchObject([
          { path: 'out dir/reversed ✓.bin', change: 'changed', sizeBytes: bytes.length + 1 },
        ]);
        expect(await shared.list('out dir')).toEqual([{ path: 'out dir/reversed ✓.bin', sizeBytes: bytes.length + 1 }]);
      });

      it('that are not plain, too large, missing or outside are refused in words', async () => {
        await run(
          shared,
          'import os\nos.symlink("/etc/passwd", "link")\nos.mkfifo("pipe")\nopen("sparse", "wb").truncate(60_000_000)\nopen("twin", "w").write("x")\nos.link("twin", "twin2")',
        );
        const codeOf = (path: string, maxBytes: number = 1000) =>
          readAll(shared.read(path, { maxBytes, signal: never })).then(() => 'read', codeOfError);
        expect(await codeOf('link')).toBe('file-unavailable');
        expect(await codeOf('pipe')).toBe('file-unavailable');
        expect(await codeOf('twin')).toBe('file-unavailable');
        expect(await codeOf('nowhere')).toBe('file-unavailable');
        expect(await codeOf('../../etc/passwd')).toBe('file-unavailable');
        expect(await codeOf('sparse')).toBe('file-too-large');
        expect((await shared.list('')).map(({ path }) => path)).not.toContain('link');
        await run(shared, 'for name in ("link", "pipe", "sparse", "twin", "twin2"): os.remove(name)');
      });

      it('over the workspace are refused, and room is left again', async () => {
        const tooBig = repeated(harness.limits.workspaceBytes + 1);
        expect(await shared.write('big', tooBig, never).then(() => 'written', codeOfError)).toBe('file-too-large');
        const full = await run(shared, 'with open("fill", "wb") as f:\n    while True: f.write(b"x" * 1_000_000)');
        expect(full).toMatchObject({ status: 'error', error: { name: 'OSError' } });
        await run(shared, 'import os; os.remove("fill")');
        await shared.write('small', chunked(Buffer.from('fits')), never);
        expect(textOf(await run(shared, 'open("small").read()'))).toContain('fits');
      });

      it('are bounded in number too', async ({ skip }) => {
        skip(harness.hasOwnKernel, 'gVisor keeps no count of files; their memory is what bounds them');
        const many = await run(
          shared,
          'import os\nos.makedirs("many", exist_ok=True)\nfor n in range(200_000): open(f"many/{n}", "w").close()',
          30_000,
        );
        expect(many).toMatchObject({ status: 'error', error: { name: 'OSError' } });
        expect((await run(shared, 'import shutil; shutil.rmtree("many")', 30_000)).status).toBe('ok');
      });
    });

    describe('ends', () => {
      it('a cell over its time is interrupted and its variables stay', async () => {
        const execution = await run(shared, 'before = 5\nwhile True: pass', 400);
        expect(execution).toMatchObject({ status: 'timeout', stateKept: true });
        expect(textOf(await run(shared, 'before'))).toBe('5');
      });

      it('a cell that ignores the interrupt is killed; files stay, variables are gone and it says so', async () => {
        await run(shared, 'gone = 1\nopen("stays.txt", "w").write("here")');
        const stubborn =
          'import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(0.1)';
        const execution = await run(shared, stubborn, 300);
        expect(execution).toMatchObject({ status: 'timeout', stateKept: false });
        expect(execution.durationMs).toBeLessThan(20_000);
        expect(execution.error?.message).toMatch(/variables/i);
        expect(textOf(await run(shared, 'open("stays.txt").read()'))).toContain('here');
        expect((await run(shared, 'gone')).error?.name).toBe('NameError');
      });

      it('an abort ends the cell at once, and only that cell', async () => {
        const stop = new AbortController();
        const execution = shared.run('import time\nprint("begun", flush=True)\ntime.sleep(60)', {
          timeoutMs: 60_000,
          signal: stop.signal,
          onOutput: () => stop.abort(),
        });
        const startedAt = performance.now();
        expect(await execution).toMatchObject({ status: 'cancelled', stdout: 'begun\n' });
        expect(performance.now() - startedAt).toBeLessThan(20_000);
        expect((await run(shared, '1')).status).toBe('ok');
      });

      it('too much memory is called that, with the limit, and the sandbox lives on', async () => {
        const execution = await run(shared, 'hog = []\nwhile True: hog.append(bytearray(20_000_000))', 30_000);
        expect(execution.status).toBe('out-of-memory');
        expect(execution.error?.message).toMatch(/\d+(\.\d+)? [MG]B/);
        expect((await run(shared, '1')).status).toBe('ok');
      });

      it('a kernel that dies is an error with its reason, and the next cell runs', async () => {
        const crashed = await run(shared, 'import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)');
        expect(crashed).toMatchObject({ status: 'error', stateKept: false, error: { name: 'KernelDied' } });
        expect(crashed.error?.message).toMatch(/SIGSEGV|signal 11|segmentation/i);
        expect(await run(shared, 'import os; os._exit(3)')).toMatchObject({
          status: 'error',
          error: { name: 'KernelDied' },
        });
        expect((await run(shared, '1')).status).toBe('ok');
      });

      const bomb =
        'import os, time\nfor _ in range(100_000):\n    if os.fork() == 0:\n        time.sleep(60)\n        os._exit(0)';

      it('a fork bomb ends itself or its sandbox, and the next one works', async () => {
        await using session = await acquire();
        const execution = await run(session, bomb, 60_000);
        expect(['error', 'lost', 'out-of-memory']).toContain(execution.status);
        await using next = await acquire();
        expect((await run(next, '1')).status).toBe('ok');
      });

      it('a fork bomb hits the process limit, the next cell runs, and a fresh kernel is rid of it', async ({
        skip,
      }) => {
        skip(harness.hasOwnKernel, 'gVisor ends as a whole where the machine refuses it another process');
        expect(await run(shared, bomb, 60_000)).toMatchObject({ status: 'error', error: { name: 'BlockingIOError' } });
        expect((await run(shared, '1')).status).toBe('ok');
        await run(shared, 'import os; os._exit(0)');
        expect((await run(shared, 'import subprocess; subprocess.check_output(["echo", "1"])')).status).toBe('ok');
      });

      it('a sandbox taken away is lost, in words, now and for every later cell', async () => {
        const session = await acquire();
        const execution = session.run('import time\nprint("so far", flush=True)\ntime.sleep(60)', {
          timeoutMs: 60_000,
          signal: never,
          onOutput: () => void harness.destroy(session.id),
        });
        expect(await execution).toMatchObject({ status: 'lost', stdout: 'so far\n', error: { name: 'SandboxLost' } });
        expect(session.alive).toBe(false);
        expect((await run(session, '1')).status).toBe('lost');
        expect(await session.list('').then(() => 'listed', codeOfError)).toBe('sandbox-failed');
        await session[Symbol.asyncDispose]();
      });

      it('sessions side by side share nothing, and disposing one leaves no container of it', async () => {
        const [one, two] = await Promise.all([acquire(), acquire()]);
        await Promise.all([
          run(one, 'secret = 1\nopen("secret.txt", "w").write("x")\nimport sys; sys.modules["json"].leak = 1'),
          run(two, '1'),
        ]);
        expect((await run(two, 'secret')).error?.name).toBe('NameError');
        expect(await two.list('')).toEqual([]);
        expect(textOf(await run(two, 'import json; hasattr(json, "leak")'))).toBe('False');
        expect(await harness.existing()).toEqual(expect.arrayContaining([one.id, two.id]));
        await one[Symbol.asyncDispose]();
        await one[Symbol.asyncDispose]();
        await two[Symbol.asyncDispose]();
        await expect
          .poll(async () => (await harness.existing()).filter((id) => id === one.id || id === two.id), {
            timeout: 10_000,
          })
          .toEqual([]);
      });
    });

    describe('walls', () => {
      it('no network: connections and names fail at once', async () => {
        const execution = await run(
          shared,
          `import socket, time
def attempt(what):
    started = time.monotonic()
    try:
        what()
        return "reached"
    except OSError as problem:
        return "late" if time.monotonic() - started > 1 else "refused"
addresses = [("1.1.1.1", 53), ("169.254.169.254", 80), ("172.17.0.1", 80), ("10.0.0.1", 443), ("2606:4700:4700::1111", 443)]
found = [attempt(lambda: socket.create_connection(address, timeout=3)) for address in addresses]
found.append(attempt(lambda: socket.getaddrinfo("example.com", 80)))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
found.append(attempt(lambda: udp.sendto(b"x", ("8.8.8.8", 53))))
import os
(set(found), os.listdir("/sys/class/net"))`,
        );
        expect(textOf(execution)).toBe("({'refused'}, ['lo'])");
      });

      it('nothing of the machine or of the bot is told', async () => {
        const execution = await run(
          shared,
          'import os, socket\nprint(socket.gethostname(), open("/etc/resolv.conf").read(), sorted(os.environ))',
        );
        expect(execution.stdout).toMatch(/^sandbox /);
        expect(execution.stdout).toContain('127.0.0.1');
        expect(execution.stdout).not.toMatch(/TOKEN|API_KEY|SECRET|PASSWORD|DOCKER/);
      });

      it('nothing but the workspace and the temporary directory can be written', async () => {
        const execution = await run(
          shared,
          `import os
def writable(place):
    try:
        with open(place + "/probe", "w") as f: f.write("x")
        os.remove(place + "/probe")
        return True
    except OSError: return False
[place for place in ("/", "/etc", "/usr/lib", "/opt", "/root", "/home", "/var/tmp", "/dev", "/proc", "/sys", "/mnt", "/mnt/data", "/tmp") if writable(place)]`,
        );
        expect(textOf(execution)).toBe("['/mnt/data', '/tmp']");
      });

      it('no capability, no new privileges, no root', async () => {
        const execution = await run(
          shared,
          'import os\nstatus = dict(line.split(":", 1) for line in open("/proc/self/status"))\n([status[k].strip() if k in status else None for k in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")], os.getuid() >= 10000)',
        );
        expect(textOf(execution)).toBe(
          `(['${'0'.repeat(16)}', '${'0'.repeat(16)}', '${'0'.repeat(16)}', ${harness.hasOwnKernel ? 'None' : "'1'"}, '2'], True)`,
        );
      });
    });
  });
}

function run(session: SandboxSession, code: string, timeoutMs: number = 20_000): Promise<Execution> {
  return session.run(code, { timeoutMs, signal: never, onOutput: () => {} });
}

/** The last result's text; fails with the execution's own words where there is none. */
function textOf(execution: Execution): unknown {
  if (execution.status !== 'ok')
    throw new Error(`${execution.status}: ${execution.error?.message} ${execution.error?.traceback}`);
  return execution.results.at(-1)?.['text/plain'];
}

function withMime(execution: Execution, mime: string): readonly MimeBundle[] {
  expect(execution.error).toBeNull();
  return execution.results.filter((bundle) => mime in bundle);
}

function codeOfError(error: unknown): string {
  return error instanceof AppError ? error.code : String(error);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function* chunked(bytes: Uint8Array): Bytes {
  for (let offset = 0; offset < bytes.length; offset += 65_536) yield bytes.subarray(offset, offset + 65_536);
}

async function* repeated(sizeBytes: number): Bytes {
  const piece = Buffer.alloc(1024 * 1024);
  for (let left = sizeBytes; left > 0; left -= piece.length) yield piece.subarray(0, left);
}

async function readAll(bytes: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
