/**
 * Why no Docker engine answers.
 *
 * @typedef {'not-installed' | 'not-running' | 'permission-denied' | 'chosen-unreachable'} Cause
 */

const docs = 'https://docs.docker.com/engine/install/';

/**
 * @param {object} seen
 * @param {boolean} seen.isChosen DOCKER_HOST names the engine
 * @param {readonly string[]} seen.faults error codes of the attempts to connect
 * @param {boolean} seen.hasEngineProgram `dockerd`, or on macOS and Windows the `docker` command, is installed
 * @returns {Cause}
 */
export function causeOf({ isChosen, faults, hasEngineProgram }) {
  if (faults.includes('EACCES') || faults.includes('EPERM')) return 'permission-denied';
  if (isChosen) return 'chosen-unreachable';
  return hasEngineProgram ? 'not-running' : 'not-installed';
}

/**
 * What the set-up does about it by itself.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @param {Cause} cause
 * @returns {'install-and-start' | 'start' | 'advise'}
 */
export function remedyFor(machine, cause) {
  if (machine.platform !== 'linux' || !machine.isRoot) return 'advise';
  if (cause === 'not-running') return 'start';
  return cause === 'not-installed' && machine.isDebianLike ? 'install-and-start' : 'advise';
}

/**
 * @param {import('./machine.mjs').Machine} machine
 * @param {Cause} cause
 * @param {string} endpoint the address that was tried, in the form of DOCKER_HOST
 * @returns {string} what is wrong and the exact commands that mend it
 */
export function adviceFor(machine, cause, endpoint) {
  if (cause === 'chosen-unreachable') {
    return message(`DOCKER_HOST is ${endpoint}, and no Docker engine answers there.`, [
      'Start that engine, or unset DOCKER_HOST to use the one of this machine:',
      '  unset DOCKER_HOST',
    ]);
  }
  if (machine.platform === 'linux') return linuxAdvice(machine, cause, endpoint);
  return desktopAdvice(machine.platform, cause);
}

/**
 * @param {import('./machine.mjs').Machine} machine
 * @param {Cause} cause
 * @param {string} endpoint
 */
function linuxAdvice(machine, cause, endpoint) {
  const sudo = machine.isRoot ? '' : 'sudo ';
  const join = machine.isRoot ? [] : [`  sudo usermod -aG docker ${machine.user}`, '  newgrp docker'];
  const start = machine.hasSystemd ? `  ${sudo}systemctl enable --now docker` : `  ${sudo}service docker start`;
  if (cause === 'permission-denied') {
    return message(`The Docker engine is there, but this user may not use its socket (${endpoint}).`, [
      'Add the user to the group docker (members can act as root on this machine), and open a new shell:',
      ...join,
    ]);
  }
  if (cause === 'not-running')
    return message('Docker is installed, but its engine does not run.', ['Start it:', start, ...join]);
  if (!machine.isDebianLike) {
    return message('The sandbox needs a Docker engine, and none is installed.', [
      `Install it as ${docs} says for this Linux, then:`,
      start,
      ...join,
    ]);
  }
  return message('The sandbox needs a Docker engine, and none is installed.', [
    'Install it (as root, the set-up does this by itself):',
    `  ${sudo}apt-get update`,
    `  ${sudo}apt-get install -y --no-install-recommends docker.io iptables ca-certificates`,
    start,
    ...join,
  ]);
}

/**
 * @param {NodeJS.Platform} platform
 * @param {Cause} cause
 */
function desktopAdvice(platform, cause) {
  const isMac = platform === 'darwin';
  if (cause === 'not-installed') {
    return message('The sandbox needs a Docker engine, and none is installed.', [
      ...(isMac
        ? ['Install Docker Desktop, or colima with Homebrew:', '  brew install docker colima', '  colima start']
        : ['Install Docker Desktop and start it:', '  winget install Docker.DockerDesktop']),
      `More: ${docs}`,
    ]);
  }
  if (cause === 'permission-denied') {
    return message('The Docker engine is there, but this user may not use it.', [
      isMac
        ? 'Start Docker Desktop or colima as this user.'
        : 'Add the user to the group docker-users and sign in again.',
    ]);
  }
  return message('Docker is installed, but its engine does not run.', [
    'Start it:',
    ...(isMac
      ? ['  open -a Docker     (Docker Desktop)', '  colima start       (colima)']
      : ['  start "" "Docker Desktop"']),
  ]);
}

/**
 * @param {string} what
 * @param {readonly string[]} lines
 */
function message(what, lines) {
  return [what, ...lines, 'Then run the same command again.'].join('\n');
}
