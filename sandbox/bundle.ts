import type { JsonValue, MimeBundle } from '../src/types.ts';
import { maxJsonDepth } from './limits.ts';
import { type DriverMessage, MessageError } from './messages.ts';

type ResultMessage = Extract<DriverMessage, { type: 'result' }>;

const text = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * One display as a Jupyter MIME bundle: strings, JSON or bytes by each part's encoding. A part that claims to be JSON and is
 * not (Python writes NaN), or is nested deeper than `maxJsonDepth`, is left out and named in `rejected`. Throws `MessageError` where the parts do not fill the payload.
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
  if (isTooDeep(bytes)) return undefined;
  try {
    // JSON.parse gives exactly the values that JsonValue names.
    return JSON.parse(text.decode(bytes)) as JsonValue;
  } catch {
    return undefined;
  }
}

/** JSON.parse takes any depth; whatever walks the value later (JSON.stringify is one) would overflow its stack. */
function isTooDeep(json: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (inText && byte === backslash) at += 1;
    else if (byte === quote) inText = !inText;
    else if (inText) continue;
    else if (byte === openBracket || byte === openBrace) depth += 1;
    else if (byte === closeBracket || byte === closeBrace) depth -= 1;
    if (depth > maxJsonDepth) return true;
  }
  return false;
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = Buffer.from('"\\[]{}');
