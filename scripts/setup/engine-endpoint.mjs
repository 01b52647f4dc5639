import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Docker's own packages listen. */
export const standardSocket = 'unix:///var/run/docker.sock';

/**
 * Where a Docker engine may listen.
 *
 * @typedef {object} Endpoint
 * @property {string} url in the form of DOCKER_HOST
 * @property {boolean} isChosen the person named it by DOCKER_HOST: there is no other to fall back on
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} platform
 * @returns {readonly Endpoint[]} in the order in which they are tried
 */
export function endpoints(env, platform) {
  const chosen = env.DOCKER_HOST;
  if (chosen !== undefined && chosen !== '') return [{ url: chosen, isChosen: true }];
  if (platform === 'win32') return [{ url: 'npipe:////./pipe/docker_engine', isChosen: false }];
  const sockets = ['/var/run/docker.sock'];
  if (env.XDG_RUNTIME_DIR) sockets.push(join(env.XDG_RUNTIME_DIR, 'docker.sock'));
  sockets.push(
    join(homedir(), '.docker/run/docker.sock'),
    join(homedir(), '.docker/desktop/docker.sock'),
    join(homedir(), '.colima/default/docker.sock'),
  );
  return sockets.map((path) => ({ url: `unix://${path}`, isChosen: false }));
}

/**
 * One GET to the engine's API.
 *
 * @param {string} url of the endpoint
 * @param {string} path
 * @param {number} [timeoutMs]
 * @returns {Promise<{status: number, body: string} | {fault: string}>} `fault`: the error's code, for example EACCES
 */
export function askEngine(url, path, timeoutMs = 3000) {
  return new Promise((resolve) => {
    const target = requestTarget(url);
    if (target === null) {
      resolve({ fault: 'UNSUPPORTED' });
      return;
    }
    const asked = request({ ...target, path, timeout: timeoutMs, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (/** @type {string} */ text) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('timeout', () => asked.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    asked.on('error', (/** @type {NodeJS.ErrnoException} */ error) => resolve({ fault: error.code ?? error.message }));
    asked.end();
  });
}

/** @param {string} url */
function requestTarget(url) {
  const socket = /^(?:unix|npipe):\/\/(.+)$/.exec(url)?.[1];
  if (socket !== undefined) return { socketPath: socket };
  const address = /^(?:tcp|http):\/\/([^:/]+)(?::(\d+))?/.exec(url);
  if (address === null) return null;
  return { host: address[1], port: Number(address[2] ?? 2375) };
}
