import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
// Not by name: the first releases of Node 20 have no parseEnv, and a missing name would stop them here.
import * as util from 'node:util';
import { provideBrowser } from './browser.mjs';
import { provideEngine } from './engine.mjs';
import { provideGvisor } from './gvisor.mjs';
import { provideNode } from './node-runtime.mjs';
import { provideNpmPackages } from './npm-packages.mjs';
import { root } from './paths.mjs';
import { providePostgres } from './postgres.mjs';
import { provideS3 } from './s3.mjs';
import { say } from './say.mjs';
import { ownImage, provideSandboxImage } from './sandbox-image.mjs';

/**
 * @typedef {object} Ready
 * @property {string} node the program of a Node that runs the project
 * @property {NodeJS.ProcessEnv} env for the command: that Node comes first on PATH, DOCKER_HOST is the engine that answered
 */

/**
 * Brings the machine to where a command can run. Does nothing that is done already.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @param {object} needs
 * @param {boolean} needs.engine
 * @param {boolean} needs.browser
 * @param {boolean} [needs.services] the servers that tests and benchmarks start for themselves are installed
 * @param {boolean} [needs.isAsked] the person asked for the set-up itself: what earlier runs gave up is tried again
 * @param {boolean} [needs.isBot] the settings of the bot count: where SANDBOX_HOSTS names its engines, none is provided here
 * @returns {Promise<Ready>} rejects with `SetupProblem`
 */
export async function setUp(machine, needs) {
  process.chdir(root);
  readSettings();
  await provideNpmPackages();
  const node = await provideNode();
  const bins = [dirname(node), join(root, 'node_modules', '.bin')];
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, PATH: [...bins, process.env.PATH ?? ''].join(delimiter) };
  if (needs.engine && !(needs.isBot && isElsewhere())) {
    const endpoint = await provideEngine(machine);
    await provideGvisor(machine, endpoint, needs.isAsked ?? false);
    if (endpoint !== 'unix:///var/run/docker.sock') env.DOCKER_HOST = endpoint;
    await provideSandboxImage(machine, endpoint, process.env.SANDBOX_IMAGE || ownImage);
  }
  if (needs.browser) await provideBrowser(machine);
  if (needs.services) await providePostgres(machine);
  if (needs.services) await provideS3(machine);
  return { node, env };
}

/** Whether the engines are named, and not the one that DOCKER_HOST names beside them to set it up. */
function isElsewhere() {
  const hosts = process.env.SANDBOX_HOSTS ?? '';
  if (hosts === '' || process.env.DOCKER_HOST) return false;
  say(
    `SANDBOX_HOSTS names the engines, none is set up here. For each of them, once: DOCKER_HOST=${hosts.split(',')[0]} npm run setup`,
  );
  return true;
}

/** The settings of `.env` that the set-up itself follows; the command reads the file again, whole. */
function readSettings() {
  const path = join(root, '.env');
  if (!existsSync(path) || util.parseEnv === undefined) return;
  const settings = util.parseEnv(readFileSync(path, 'utf8'));
  for (const name of ['DOCKER_HOST', 'SANDBOX_IMAGE', 'SANDBOX_HOSTS']) {
    const value = settings[name];
    if (process.env[name] === undefined && value) process.env[name] = value;
  }
}
