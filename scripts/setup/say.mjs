/**
 * One line for one thing that was done. On stderr, so that a command's own output stays clean.
 *
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`plotline setup: ${line}\n`);
}

/**
 * Says that something takes a while, again every 20 s, and at the end how long it took.
 *
 * @template T
 * @param {string} what for example "building the sandbox image"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} rejects with what `work` rejects with
 */
export async function saySlow(what, work) {
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  say(`${what} …`);
  const timer = setInterval(() => say(`${what} … ${seconds()} s`), 20_000);
  try {
    const result = await work();
    say(`${what}: done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
