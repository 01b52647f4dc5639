import type { JsonValue, MimeBundle } from '../src/types.ts';
import { type DriverMessage, MessageError } from './messages.ts';

type ResultMessage = Extract<DriverMessage, { type: 'result' }>;

const text = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * One display as a Jupyter MIME bundle: strings, JSON or bytes by each part's encoding. A part that claims to be JSON and is
 * not (Python writes NaN) is left out and named in `rejected`. Throws `MessageError` where the parts do not fill the payload.
 */
export function decodeBundle(
  message: ResultMessage,
  payload: Uint8Array,
): { readonly bundle: MimeBundle; readonly rejected: readonly string[] } {
  const announced = message.parts.reduce((sum, part) => sum + part.bytes, 0);
  if (announced !== payload.length)
    throw new MessageError(`result parts of ${announced} bytes in a payload of ${payload.length}`);
  const bundle: Record<string, string | Uint8Array | JsonValue> = {};
  const rejected: string[] = [];
  let offset = 0;
  for (const part of message.parts) {
    const bytes = payload.subarray(offset, offset + part.bytes);
    offset += part.bytes;
    const value = decodePart(bytes, part.encoding);
    if (value === undefined) rejected.push(part.mime);
    else bundle[part.mime] = value;
  }
  return { bundle, rejected };
}

function decodePart(
  bytes: Uint8Array,
  encoding: ResultMessage['parts'][number]['encoding'],
): string | Uint8Array | JsonValue | undefined {
  if (encoding === 'binary') return bytes;
  if (encoding === 'utf8') return text.decode(bytes);
  try {
    // JSON.parse gives exactly the values that JsonValue names.
    return JSON.parse(text.decode(bytes)) as JsonValue;
  } catch {
    return undefined;
  }
}
