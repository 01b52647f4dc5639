import { z } from 'zod';

/** Where the objects are, and with which key. */
export interface S3Place {
  readonly bucket: string;
  /** Of every key: empty, or with a `/` at its end. */
  readonly prefix: string;
  /** `null`: Amazon's own, by the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** The bucket is in the path of an address, not in its host name. */
  readonly isPathStyle: boolean;
  /** `null`: as the AWS SDK finds them by itself (its own environment variables, profiles, roles of the machine). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

const text = z.string().trim().min(1);

export const blobEnvironment = {
  BLOB_URL: text.optional(),
  S3_ACCESS_KEY_ID: text.optional(),
  S3_SECRET_ACCESS_KEY: text.optional(),
};

const blobShape = z.object(blobEnvironment);
type Values = z.infer<typeof blobShape>;

const form = 'write s3://bucket/prefix?endpoint=https://…&region=…&pathStyle=true (all but the bucket may be left out)';
const parameters: ReadonlySet<string> = new Set(['endpoint', 'region', 'pathStyle']);
const bucketPattern = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/;
const prefixPattern = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;

/** `null` where files are kept in a folder. Of values without problems. */
export function blobPlace(values: Values): S3Place | null {
  const place = values.BLOB_URL === undefined ? null : parsePlace(values.BLOB_URL, credentialsOf(values));
  return typeof place === 'string' ? null : place;
}

/** What is wrong, in words and without a value. */
export function blobProblems(values: Values): readonly string[] {
  const problems: string[] = [];
  const place = values.BLOB_URL === undefined ? null : parsePlace(values.BLOB_URL, null);
  if (typeof place === 'string') problems.push(`BLOB_URL: ${place}`);
  const { S3_ACCESS_KEY_ID: id, S3_SECRET_ACCESS_KEY: secret } = values;
  if (id !== undefined && secret === undefined) problems.push('S3_SECRET_ACCESS_KEY: needed beside S3_ACCESS_KEY_ID');
  if (secret !== undefined && id === undefined) problems.push('S3_ACCESS_KEY_ID: needed beside S3_SECRET_ACCESS_KEY');
  return problems;
}

function credentialsOf({ S3_ACCESS_KEY_ID: id, S3_SECRET_ACCESS_KEY: secret }: Values): S3Place['credentials'] {
  return id === undefined || secret === undefined ? null : { accessKeyId: id, secretAccessKey: secret };
}

/** The place, or what is wrong with the address. */
function parsePlace(address: string, credentials: S3Place['credentials']): S3Place | string {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || url.protocol !== 's3:') return `is no s3:// address; ${form}`;
  if (url.username !== '' || url.password !== '') {
    return 'holds a key, which logs would show; set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY instead';
  }
  if (!bucketPattern.test(url.host)) return `names no bucket (3 to 63 of a-z, 0-9, “.”, “-”); ${form}`;
  const prefix = url.pathname.replaceAll(/^\/+|\/+$/g, '');
  if (prefix !== '' && !prefixPattern.test(prefix))
    return 'has a prefix of other characters than A-Z, a-z, 0-9, “.”, “_”, “-”, “/”';
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.has(name));
  if (unknown !== undefined) return `has a parameter it does not know; ${form}`;
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint !== null && !isEndpoint(endpoint))
    return `has an endpoint that is no http:// or https:// address of a server; ${form}`;
  const pathStyle = url.searchParams.get('pathStyle') ?? String(endpoint !== null);
  if (pathStyle !== 'true' && pathStyle !== 'false') return 'pathStyle must be true or false';
  return {
    bucket: url.host,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint,
    region: url.searchParams.get('region') ?? 'us-east-1',
    isPathStyle: pathStyle === 'true',
    credentials,
  };
}

function isEndpoint(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { protocol, username, password, search } = new URL(endpoint);
  return /^https?:$/.test(protocol) && username === '' && password === '' && search === '';
}
