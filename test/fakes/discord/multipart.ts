import { refusal } from './refusal.ts';
import type { Json } from './state.ts';

export interface UploadedFile {
  /** `files[2]` is 2. */
  readonly index: number;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export interface RequestBody {
  /** Without parameters such as a boundary; null where no body came. */
  readonly contentType: string | null;
  /** As the OpenAPI file describes it: of a form, its JSON and its files. */
  readonly described: unknown;
  readonly json: unknown;
  readonly files: readonly UploadedFile[];
}

/** @throws DiscordRefusal 50109 for what is neither JSON nor a form with a JSON part. */
export async function readBody(contentType: string | undefined, bytes: Buffer): Promise<RequestBody> {
  if (bytes.byteLength === 0) return { contentType: null, described: null, json: null, files: [] };
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'multipart/form-data') {
    const json = parse(bytes.toString());
    return { contentType: type, described: json, json, files: [] };
  }
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType ?? '' } }).formData();
  const files: UploadedFile[] = [];
  let json: unknown = {};
  for (const [name, value] of form) {
    const index = /^files\[(\d+)\]$/.exec(name)?.[1];
    if (typeof value === 'string') {
      if (name === 'payload_json') json = parse(value);
    } else if (index !== undefined) {
      const content = new Uint8Array(await value.arrayBuffer());
      files.push({ index: Number(index), name: value.name, contentType: value.type, bytes: content });
    }
  }
  const parts = Object.fromEntries(files.map(({ index, name }) => [`files[${index}]`, name]));
  return { contentType: type, described: { ...(json as Json), ...parts }, json, files };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refusal('invalidJson');
  }
}
