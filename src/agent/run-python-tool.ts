import type { ToolCall, ToolSpec } from '../ports/model.ts';
import { oneLine } from './cut.ts';

/** Longest progress line. */
const titleCharacters = 80;

export const runPythonTool: ToolSpec = {
  name: 'run_python',
  description:
    "Runs Python in the thread's session and returns status, error with traceback, stdout, stderr, results and changed files.",
  parameters: {
    type: 'object',
    properties: {
      title: {
        type: 'string',
        description: `What this step does, in the person's language, at most ${titleCharacters} characters. The person sees it.`,
      },
      code: { type: 'string', description: 'The Python code to run, as plain text without Markdown fences.' },
    },
    required: ['title', 'code'],
    additionalProperties: false,
  },
};

/** A call that can be run, or in words why it cannot and how to call. */
export type ParsedCall =
  | { readonly ok: true; readonly title: string; readonly code: string }
  | { readonly ok: false; readonly problem: string };

const usage = 'Call run_python with a JSON object {"title": "short text", "code": "Python code"}.';

/**
 * Reads a call as models really write them. Repaired, because only one reading is possible: a namespace before the tool's name,
 * JSON inside a JSON string or a Markdown fence, raw line breaks inside a JSON string, code as a list of lines or in a fence.
 * `cut`: the model's turn ended at its length limit, so arguments that do not parse were cut rather than wrong.
 */
export function parseCall(call: ToolCall, cut: boolean): ParsedCall {
  if (!isRunPython(call.name)) {
    return problem(`There is no tool named ${JSON.stringify(oneLine(call.name, 60))}; run_python is the only one.`);
  }
  const given = parseArguments(call.argumentsText);
  if (given === undefined) {
    if (cut) {
      return problem(
        'Not run: the call was cut off because the response reached its length limit. Send shorter code: split the work over several calls.',
      );
    }
    return problem('Not run: the arguments are not valid JSON. Escape quotes and line breaks inside strings.');
  }
  const code = codeOf(given['code'] ?? given['python'] ?? given['source']);
  if (code === null) return problem('Not run: the arguments have no "code", which must be a string with Python code.');
  if (code.trim() === '') return problem('Not run: "code" is empty.');
  return { ok: true, title: titleOf(given['title'], code), code };
}

function problem(text: string): ParsedCall {
  return { ok: false, problem: `${text} ${usage}` };
}

function isRunPython(name: string): boolean {
  const last = name.trim().split(/[.:/]/).at(-1) ?? '';
  return last.toLowerCase().replace(/[-\s]/g, '_') === runPythonTool.name;
}

function parseArguments(text: string): Readonly<Record<string, unknown>> | undefined {
  const plain = withoutFence(text.trim());
  for (const candidate of [plain, escapeLineBreaks(plain)]) {
    let value = parseJson(candidate);
    if (typeof value === 'string') value = parseJson(value) ?? parseJson(escapeLineBreaks(value));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Raw control characters inside JSON strings are invalid; what was meant by a line break or a tab is plain. */
function escapeLineBreaks(text: string): string {
  return text.replace(/"(?:[^"\\]|\\[\s\S])*"/g, (string) =>
    string.replace(/\r?\n/g, '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r'),
  );
}

function codeOf(value: unknown): string | null {
  if (Array.isArray(value) && value.every((line) => typeof line === 'string')) return codeOf(value.join('\n'));
  return typeof value === 'string' ? withoutFence(value) : null;
}

/** The inside of a text that is one Markdown code block and nothing else. */
function withoutFence(text: string): string {
  const match = /^\s*```[\w-]*[ \t]*\r?\n([\s\S]*?)\r?\n?```\s*$/.exec(text);
  const inside = match?.[1];
  return inside === undefined || inside.includes('\n```') ? text : inside;
}

/** A title is a courtesy to the person: a missing one is no reason to refuse the call. */
function titleOf(title: unknown, code: string): string {
  const comment = /^\s*#\s*(.+)$/m.exec(code)?.[1] ?? '';
  const given = typeof title === 'string' ? title : comment;
  return oneLine(given, titleCharacters) || 'Running Python';
}
