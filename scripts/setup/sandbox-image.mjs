import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { installPackages } from './apt.mjs';
import { baseImage, provideBaseImage } from './base-image.mjs';
import { askEngine } from './engine-endpoint.mjs';
import { findProgram } from './machine.mjs';
import { root, stateFolder } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';
import { say, saySlow } from './say.mjs';

/** The image that the set-up builds and keeps up to date; any other in SANDBOX_IMAGE is its owner's business. */
export const ownImage = 'plotline-sandbox:latest';

const sources = ['Dockerfile', '.dockerignore', 'sandbox/image', 'sandbox/python/plotline'];
/** Of an image: a hash of what it was made from. */
export const label = 'plotline.source';
const logFile = join(stateFolder, 'build.log');

/**
 * Builds the sandbox image when it is missing or was built from other sources.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @param {string} endpoint of the engine
 * @param {string} image what SANDBOX_IMAGE says
 * @returns {Promise<void>} rejects with `SetupProblem`
 */
export async function provideSandboxImage(machine, endpoint, image) {
  const labels = await labelsOf(endpoint, image);
  if (image !== ownImage) {
    if (labels !== null) return;
    throw new SetupProblem(
      `SANDBOX_IMAGE is ${image}, and the engine has no such image. Build or pull it, or unset SANDBOX_IMAGE.`,
    );
  }
  const hash = sourceHash(root, sources);
  if (labels?.[label] === hash) return;

  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(logFile, '');
  const docker = await provideDockerCommand(machine);
  await provideBaseImage(machine, endpoint, docker, logFile);
  await saySlow(
    `building the sandbox image ${image} (${labels === null ? 'there is none' : 'its sources changed'})`,
    async () => {
      const args = ['build', '--target', 'sandbox', '--label', `${label}=${hash}`, '--tag', image];
      if (labels === null && !(await reachesPackages(docker, endpoint))) args.push('--network', 'host');
      const env = { DOCKER_HOST: endpoint };
      let built = await runProgram(docker, [...args, '.'], { cwd: root, env, logFile });
      // A changed package list needs the network too, and only then is it known that the usual one does not serve.
      if (built.code !== 0 && labels !== null) {
        built = await runProgram(docker, [...args, '--network', 'host', '.'], { cwd: root, env, logFile });
      }
      if (built.code === 0) return;
      throw new SetupProblem(
        `The sandbox image could not be built; whole log: ${logFile}. Its end:\n${lastLines(built.output)}`,
      );
    },
  );
}

/**
 * @param {string} folder
 * @param {readonly string[]} paths files and folders in it; a folder counts with all it holds but compiled Python
 * @returns {string} a hash over names and contents: any change of what goes into the image changes it
 */
export function sourceHash(folder, paths) {
  const files = paths.flatMap((path) => filesUnder(join(folder, path)));
  const hash = createHash('sha256');
  for (const file of files.toSorted()) {
    const content = readFileSync(file);
    hash.update(`${relative(folder, file).split(sep).join('/')}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path)
    .filter((name) => name !== '__pycache__')
    .flatMap((name) => filesUnder(join(path, name)));
}

/**
 * @param {string} endpoint
 * @param {string} image
 * @returns {Promise<Readonly<Record<string, string>> | null>} null: there is no such image
 */
export async function labelsOf(endpoint, image) {
  const answer = await askEngine(endpoint, `/images/${encodeURIComponent(image)}/json`, 10_000);
  if (!('status' in answer) || answer.status !== 200) return null;
  return JSON.parse(answer.body).Config?.Labels ?? {};
}

/**
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Promise<string>} the docker command; rejects with `SetupProblem`
 */
export async function provideDockerCommand(machine) {
  const found = findProgram('docker');
  if (found !== null) return found;
  if (machine.isRoot && machine.isDebianLike) {
    const { code } = await runProgram('apt-cache', ['show', 'docker-cli']);
    // Before trixie the package docker.io held the command too.
    await installPackages([code === 0 ? 'docker-cli' : 'docker.io'], 'the docker command, which builds the image');
    const installed = findProgram('docker');
    if (installed !== null) return installed;
  }
  throw new SetupProblem(
    'A Docker engine answers, but the docker command that builds the sandbox image is missing.\n' +
      'Install it (Debian 13 and later: apt-get install docker-cli; macOS: brew install docker) and run the same command again.',
  );
}

/**
 * Whether a container of the engine's usual network reaches Debian's packages: behind some firewalls only the host does.
 *
 * @param {string} docker
 * @param {string} endpoint
 */
async function reachesPackages(docker, endpoint) {
  const probe = [
    'timeout',
    '25',
    'apt-get',
    'update',
    '-qq',
    '-o',
    'APT::Update::Error-Mode=any',
    '-o',
    'Acquire::Retries=0',
  ];
  const { code } = await runProgram(docker, ['run', '--rm', baseImage, ...probe], {
    env: { DOCKER_HOST: endpoint },
    timeoutMs: 40_000,
    logFile,
  });
  if (code !== 0)
    say("containers do not reach Debian's packages by the engine's usual network; building with the host's");
  return code === 0;
}
