import type { RunCell } from '../../src/agent/agent-types.ts';
import type { Execution } from '../../src/types.ts';

/**
 * A session that understands a few lines of Python, one statement per line: `print("text")`, `load("name")`, `raise Name("text")`,
 * `wait()` (until it is stopped), `lose()` (the container goes away), `break_down()` (the infrastructure does).
 */
export interface FakeSession {
  readonly runCell: RunCell;
  readonly saveOutput: (name: string, text: string) => Promise<void>;
  /** Code of every cell that was run. */
  readonly ran: readonly string[];
  readonly saved: ReadonlyMap<string, string>;
}

export function createFakeSession(files: readonly string[] = []): FakeSession {
  const ran: string[] = [];
  const saved = new Map<string, string>();

  const runCell: RunCell = async (_title, code, signal, onOutput) => {
    ran.push(code);
    let stdout = '';
    for (const [index, line] of code.split('\n').entries()) {
      const [, name = '', argument = ''] = /^\s*(?:raise )?(\w+)\((.*)\)\s*$/.exec(line) ?? [];
      const text = argument === '' ? '' : (JSON.parse(argument) as string);
      if (line.startsWith('raise ')) return failed('error', name, text, stdout, index);
      if (name === 'load' && !files.includes(text)) {
        return failed('error', 'FileNotFoundError', `[Errno 2] No such file or directory: '${text}'`, stdout, index);
      }
      if (name === 'lose')
        return failed('lost', 'SessionLost', 'The sandbox went away; files are kept.', stdout, index);
      if (name === 'break_down') throw new Error('the engine is gone');
      if (name === 'wait') {
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        return failed('cancelled', 'Cancelled', 'The cell was stopped.', stdout, index);
      }
      if (name === 'print') {
        stdout += `${text}\n`;
        onOutput('stdout', `${text}\n`);
      }
    }
    return executionOf({ stdout });
  };

  return {
    runCell,
    saveOutput: async (name, text) => {
      saved.set(name, text);
    },
    ran,
    saved,
  };
}

function failed(status: Execution['status'], name: string, message: string, stdout: string, line: number): Execution {
  const traceback =
    status === 'error'
      ? `Traceback (most recent call last):\n  File "<cell>", line ${line + 1}\n${name}: ${message}`
      : '';
  return executionOf({ status, stdout, error: { name, message, traceback } });
}

/** An execution of which only what matters is given. */
export function executionOf(given: Partial<Execution>): Execution {
  return {
    status: 'ok',
    stdout: '',
    stderr: '',
    results: [],
    error: null,
    stateKept: given.status === 'lost' ? null : true,
    files: [],
    durationMs: 10,
    truncated: false,
    ...given,
  };
}
