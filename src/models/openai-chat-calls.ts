import type { ToolCall } from '../ports/model.ts';
import type { JsonValue } from '../types.ts';

/** A piece of a tool call as servers really send it: any member may be missing or `null`, arguments may be an object. */
export interface ToolCallDelta {
  readonly index?: number | null;
  readonly id?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: unknown } | null;
  /** Google's servers put signatures here that they want back. */
  readonly extra_content?: JsonValue;
}

export interface CallAssembly {
  add(delta: ToolCallDelta): void;
  /** In the order they were begun. */
  calls(): readonly ToolCall[];
  /** What came beside each call and must be replayed with it, by call id. */
  extras(): ReadonlyMap<string, JsonValue>;
}

interface PartialCall {
  readonly index: number | null;
  /** As the server gave it; empty when it gave none. */
  givenId: string;
  /** The call's id for us. */
  id: string;
  name: string;
  argumentsText: string;
  extra: JsonValue | undefined;
}

/** `newId` names calls that came without an id. */
export function createCallAssembly(newId: () => string): CallAssembly {
  const calls: PartialCall[] = [];

  /** A piece continues a call by index, else the last one; another id is always another call, even under the same index. */
  const continued = (delta: ToolCallDelta): PartialCall | undefined => {
    const candidate =
      typeof delta.index === 'number' ? calls.findLast(({ index }) => index === delta.index) : calls.at(-1);
    const isOther = Boolean(delta.id) && candidate?.givenId !== '' && delta.id !== candidate?.givenId;
    const beginsWithoutIndex = typeof delta.index !== 'number' && !delta.id && Boolean(delta.function?.name);
    return isOther || beginsWithoutIndex ? undefined : candidate;
  };

  return {
    add: (delta) => {
      let call = continued(delta);
      if (call === undefined) {
        const index = typeof delta.index === 'number' ? delta.index : null;
        call = { index, givenId: '', id: delta.id || newId(), name: '', argumentsText: '', extra: undefined };
        calls.push(call);
      }
      if (delta.id) {
        call.givenId = delta.id;
        call.id = delta.id;
      }
      call.name ||= delta.function?.name ?? '';
      call.argumentsText += textOf(delta.function?.arguments);
      call.extra ??= delta.extra_content;
    },
    calls: () => calls.map(({ id, name, argumentsText }) => ({ id, name, argumentsText })),
    extras: () => new Map(calls.flatMap(({ id, extra }) => (extra === undefined ? [] : [[id, extra] as const]))),
  };
}

function textOf(given: unknown): string {
  if (typeof given === 'string') return given;
  return given === undefined || given === null ? '' : JSON.stringify(given);
}
