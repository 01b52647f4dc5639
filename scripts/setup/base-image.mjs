import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages } from './apt.mjs';
import { askEngine } from './engine-endpoint.mjs';
import { findProgram } from './machine.mjs';
import { SetupProblem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';
import { say, saySlow } from './say.mjs';

export const baseImage = 'debian:trixie-slim';

const suite = 'trixie';
const mirror = 'http://deb.debian.org/debian';
/** A registry that cannot be reached must not cost more than this; one that answers gets `pullMs`. */
const firstAnswerMs = 15_000;
const pullMs = 600_000;

/**
 * Provides the image that the sandbox is built on: from the registry, else made from Debian's packages.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @param {string} endpoint of the engine
 * @param {string} docker the docker command
 * @param {string} logFile
 * @returns {Promise<void>} rejects with `SetupProblem`
 */
export async function provideBaseImage(machine, endpoint, docker, logFile) {
  const answer = await askEngine(endpoint, `/images/${baseImage}/json`);
  if ('status' in answer && answer.status === 200) return;
  const pulled = await pull(docker, endpoint, logFile);
  if (pulled.code === 0) {
    say(`pulled ${baseImage}`);
    return;
  }
  if (!machine.isRoot || !machine.isDebianLike) {
    throw new SetupProblem(
      `The image ${baseImage} could not be pulled:\n${lastLines(pulled.output)}\n` +
        'When the registry can be reached, run:\n' +
        `  docker pull ${baseImage}\n` +
        'or bring the image from another machine (docker save there, docker load here). Then run the same command again.',
    );
  }
  if (findProgram('debootstrap') === null || !existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')) {
    await installPackages(['debootstrap', 'debian-archive-keyring'], `to make ${baseImage}, which could not be pulled`);
  }
  await saySlow(`making ${baseImage} with debootstrap (it could not be pulled)`, () =>
    bootstrap(docker, endpoint, logFile),
  );
}

/**
 * @param {string} docker
 * @param {string} endpoint
 * @param {string} logFile
 */
async function pull(docker, endpoint, logFile) {
  let answered = false;
  const pulling = runProgram(docker, ['pull', baseImage], {
    env: { DOCKER_HOST: endpoint },
    timeoutMs: pullMs,
    logFile,
    onOutput: (text) => (answered ||= text.includes('Pulling')),
  });
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const silence = new Promise((resolve) => {
    timer = setTimeout(resolve, firstAnswerMs);
  }).then(() => (answered ? pulling : { code: 124, output: `no answer within ${firstAnswerMs / 1000} s\n` }));
  const ended = await Promise.race([pulling, silence]);
  clearTimeout(timer);
  return ended;
}

/**
 * @param {string} docker
 * @param {string} endpoint
 * @param {string} logFile
 */
async function bootstrap(docker, endpoint, logFile) {
  // Not where a small memory file system may be mounted without the right to run programs.
  const folder = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'plotline-base-'));
  try {
    // A debootstrap from before trixie knows Debian's newer releases by the script of unstable.
    const script = existsSync(`/usr/share/debootstrap/scripts/${suite}`) ? [] : ['/usr/share/debootstrap/scripts/sid'];
    await must('debootstrap', ['--variant=minbase', suite, folder, mirror, ...script], logFile);
    // What Debian's own slim image leaves out: documentation but the licences, translations, the package manager's cache.
    await must('find', [join(folder, 'usr/share/doc'), '-type', 'f', '!', '-name', 'copyright', '-delete'], logFile);
    const excluded = [
      'var/cache/*',
      'var/lib/apt/lists/*',
      'var/log/*',
      'usr/share/man/*',
      'usr/share/locale/*',
      'usr/share/info/*',
    ];
    const excludes = [...excluded, 'proc/*', 'sys/*', 'dev/*', 'tmp/*'].map((pattern) => `--exclude=./${pattern}`);
    const archive = `${folder}.tar`;
    try {
      await must('tar', ['--numeric-owner', ...excludes, '-C', folder, '-cf', archive, '.'], logFile);
      await must(docker, ['import', '--change', 'CMD ["bash"]', archive, baseImage], logFile, {
        DOCKER_HOST: endpoint,
      });
    } finally {
      await runProgram('rm', ['-f', archive]);
    }
  } finally {
    await runProgram('rm', ['-rf', '--one-file-system', folder]);
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} logFile
 * @param {NodeJS.ProcessEnv} [env]
 */
async function must(command, args, logFile, env = {}) {
  const { code, output } = await runProgram(command, args, { logFile, env });
  if (code !== 0)
    throw new SetupProblem(`${command} failed (exit code ${code}), log: ${logFile}. It said:\n${lastLines(output)}`);
}
