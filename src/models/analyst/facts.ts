/** What a cell printed: one JSON object, read back with care, because sandbox output is data from outside. */

export interface ToolOutcome {
  readonly status: string;
  readonly error: string;
  readonly facts: Facts | null;
}

export class Facts {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  number(key: string): number | null {
    const value = this.#values[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  }

  text(key: string): string | null {
    const value = this.#values[key];
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null;
  }

  flag(key: string): boolean {
    return this.#values[key] === true;
  }

  texts(key: string): readonly string[] {
    const value = this.#values[key];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** `[name, number]` pairs; others are left out. */
  pairs(key: string): readonly (readonly [string, number])[] {
    return this.rows(key).flatMap((row) => {
      const [name, value] = row;
      return typeof value === 'number' && Number.isFinite(value) ? [[String(name), value] as const] : [];
    });
  }

  rows(key: string): readonly (readonly unknown[])[] {
    const value = this.#values[key];
    return Array.isArray(value) ? value.filter((row): row is unknown[] => Array.isArray(row)) : [];
  }

  objects(key: string): readonly Facts[] {
    const value = this.#values[key];
    return Array.isArray(value) ? value.filter(isObject).map((item) => new Facts(item)) : [];
  }

  object(key: string): Facts | null {
    const value = this.#values[key];
    return isObject(value) ? new Facts(value) : null;
  }

  /** Members that are objects themselves. */
  members(): readonly (readonly [string, Facts])[] {
    return Object.entries(this.#values).flatMap(([name, value]) =>
      isObject(value) ? [[name, new Facts(value)] as const] : [],
    );
  }

  /** Members that are numbers. */
  numbers(): readonly (readonly [string, number])[] {
    return Object.entries(this.#values).flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, value] as const] : [],
    );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a tool result: its status, the first line of its error, and the last JSON object of its stdout. */
export function readToolResult(text: string): ToolOutcome {
  const status = /^status: ([\w-]+)/.exec(text)?.[1] ?? 'error';
  const error = section(text, 'error').split('\n')[0] ?? '';
  for (const line of section(text, 'stdout').split('\n').toReversed()) {
    const facts = line.startsWith('{') ? parseFacts(line) : null;
    if (facts !== null) return { status, error, facts };
  }
  return { status, error, facts: null };
}

function section(text: string, name: string): string {
  const match = new RegExp(
    `(?:^|\\n)## ${name}\\n([\\s\\S]*?)(?=\\n## (?:error|stdout|stderr|results|files)\\n|$)`,
  ).exec(text);
  return match?.[1] ?? '';
}

/** Python writes numbers that are none as `NaN`, which JSON does not know. */
function parseFacts(line: string): Facts | null {
  for (const candidate of [line, line.replace(/(?<=[:[,]\s?)(?:NaN|-?Infinity)(?=[,\]}])/g, 'null')]) {
    try {
      const value: unknown = JSON.parse(candidate);
      if (isObject(value)) return new Facts(value);
    } catch {
      // Try the next reading of the line; without one the caller says that nothing was printed.
    }
  }
  return null;
}
