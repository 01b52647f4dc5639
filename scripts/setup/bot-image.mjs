import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseImage, provideBaseImage } from './base-image.mjs';
import { provideNodeBinary } from './node-runtime.mjs';
import { npm } from './npm-packages.mjs';
import { root, stateFolder } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';
import { label, labelsOf, provideDockerCommand, sourceHash } from './sandbox-image.mjs';
import { saySlow } from './say.mjs';

/** What `npm run image` builds and compose.yaml runs. */
export const botImage = 'plotline-bot:latest';

const sources = [
  'Dockerfile',
  '.dockerignore',
  'package.json',
  'package-lock.json',
  'scripts/health-check.mjs',
  'sandbox',
  'adapters',
  'src',
];
const lockFile = join(root, 'package-lock.json');
const folder = join(stateFolder, 'bot-image');
const logFile = join(stateFolder, 'bot-image.log');

/**
 * Builds the bot's image when it is missing or was made from other sources. Node and the packages come from the npm registry by way
 * of this machine, whose npm is set up for it: no image is pulled, and nothing of the machine's proxies or certificates gets inside.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @param {string} endpoint of the engine
 * @param {string} image the name it gets
 * @returns {Promise<void>} rejects with `SetupProblem`
 */
export async function provideBotImage(machine, endpoint, image) {
  const hash = sourceHash(root, sources);
  if ((await labelsOf(endpoint, image))?.[label] === hash) return;
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(logFile, '');
  const docker = await provideDockerCommand(machine);
  await provideBaseImage(machine, endpoint, docker, logFile);
  const nodeImage = await provideNodeImage(docker, endpoint);
  await saySlow(`building the bot's image ${image}`, () => {
    const args = ['--target', 'bot', '--build-arg', `NODE_IMAGE=${nodeImage}`, '--label', `${label}=${hash}`];
    return build(docker, endpoint, root, [...args, '--tag', image]);
  });
}

/**
 * An image with what the stage `bot-parts` needs: Node of the engine's kind, and the packages that run in production.
 *
 * @param {string} docker
 * @param {string} endpoint
 * @returns {Promise<string>} its name, which says what it was made from
 */
async function provideNodeImage(docker, endpoint) {
  const asked = await runProgram(docker, ['version', '--format', '{{.Server.Arch}}'], {
    env: { DOCKER_HOST: endpoint },
  });
  const arch = asked.output.trim() === 'arm64' ? 'arm64' : 'x64';
  const name = `plotline-node:${arch}-${productionHash(readFileSync(lockFile, 'utf8'))}`;
  if ((await labelsOf(endpoint, name)) !== null) return name;
  await saySlow(`making ${name} with Node 24 and the packages of production`, async () => {
    // Several may be at it on one machine.
    const staging = `${folder}-${process.pid}`;
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging, { recursive: true });
    try {
      copyFileSync(await provideNodeBinary('linux', arch), join(staging, 'node'));
      for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(root, file), join(staging, file));
      await npm(['ci', '--omit=dev', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'], staging);
      const lines = [`FROM ${baseImage}`, 'COPY node /usr/local/bin/node', 'COPY node_modules /app/node_modules'];
      writeFileSync(join(staging, 'Dockerfile'), `${lines.join('\n')}\n`);
      await build(docker, endpoint, staging, ['--tag', name]);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  });
  return name;
}

/**
 * @param {string} lockText the text of package-lock.json
 * @returns {string} changes with the packages that run in production, and not with the others
 */
export function productionHash(lockText) {
  const packages = Object.entries(JSON.parse(lockText).packages).filter(
    ([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional,
  );
  const parts = packages.map(([path, { version, integrity }]) => `${path} ${version} ${integrity}`);
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

/**
 * @param {string} docker
 * @param {string} endpoint
 * @param {string} context a folder
 * @param {readonly string[]} args
 */
async function build(docker, endpoint, context, args) {
  const { code, output } = await runProgram(docker, ['build', ...args, '.'], {
    cwd: context,
    env: { DOCKER_HOST: endpoint },
    logFile,
  });
  if (code === 0) return;
  throw new SetupProblem(`The image could not be built; whole log: ${logFile}. Its end:\n${lastLines(output)}`);
}
