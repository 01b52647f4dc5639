import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';

const keptLines = 30;

/**
 * @typedef {object} Ended
 * @property {number} code 0 when the program did its job; 124 when it took too long; 127 when it could not be started
 * @property {string} output standard output and standard error
 */

/**
 * Runs a program to its end without a terminal, and collects what it says.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env] on top of this process's own
 * @param {number} [options.timeoutMs]
 * @param {string} [options.logFile] everything it says is appended here
 * @param {(text: string) => void} [options.onOutput]
 * @returns {Promise<Ended>} never rejects
 */
export function runProgram(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // npm is a .cmd file on Windows, which only a shell can start.
      shell: process.platform === 'win32' && command.endsWith('.cmd'),
    });
    let output = '';
    let late = false;
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(stop, options.timeoutMs);
    function stop() {
      late = true;
      child.kill('SIGKILL');
    }
    /** @param {Buffer} bytes */
    const take = (bytes) => {
      const text = bytes.toString();
      output += text;
      if (options.logFile !== undefined) appendFileSync(options.logFile, text);
      options.onOutput?.(text);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: `${output}${error.message}\n` });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 1), output });
    });
  });
}

/**
 * @param {string} output
 * @returns {string} its last lines, indented, for a message
 */
export function lastLines(output) {
  const lines = output.trimEnd().split('\n').slice(-keptLines);
  return lines.map((line) => `    ${line}`).join('\n');
}
