import { runProgram } from '../setup/program.mjs';

/** What the code must pass before its tests run. */
const stages = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'] },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint'] },
  { name: 'format', args: ['node_modules/oxfmt/bin/oxfmt', '--check'] },
  { name: 'unused code', args: ['node_modules/knip/bin/knip.js', '--no-progress'] },
];

/**
 * Runs the stages one after the other, one line each with its time, and stops at the first that fails.
 *
 * @param {import('../setup/set-up.mjs').Ready} ready
 * @returns {Promise<number>} 0, or the exit code of the stage that failed, whose output is printed
 */
export async function runStages({ node, env }) {
  for (const { name, args } of stages) {
    const started = performance.now();
    const { code, output } = await runProgram(node, args, { env });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (code !== 0) {
      process.stderr.write(
        `${output}\nFAILED  ${name} (${seconds} s)${name === 'format' ? '; npm run format mends it' : ''}\n`,
      );
      return code;
    }
    process.stderr.write(`ok      ${name} (${seconds} s)\n`);
  }
  return 0;
}
