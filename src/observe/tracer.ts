/** Ids, counts and words of ours; never texts of people, code or contents. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface OpenSpan {
  set(attributes: Attributes): void;
  /** `failure`: the code of what went wrong. */
  end(failure?: string): void;
}

export interface Tracer extends AsyncDisposable {
  /** A span around `work`; spans begun within it are its children. `isRoot`: whatever set the work going is not its parent. */
  span<T>(
    name: string,
    options: { readonly attributes: Attributes; readonly isRoot?: boolean },
    work: (span: OpenSpan) => Promise<T>,
  ): Promise<T>;
  /** A span that its caller ends. */
  start(name: string, attributes: Attributes): OpenSpan;
}

const noSpan: OpenSpan = { set: () => {}, end: () => {} };

/** For a process that is not traced. */
export const noTracer: Tracer = {
  span: (_name, _options, work) => work(noSpan),
  start: () => noSpan,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
