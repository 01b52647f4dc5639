import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';

const key = { S3_ACCESS_KEY_ID: 'AKID', S3_SECRET_ACCESS_KEY: 'very-secret-key' };

describe('BLOB_URL', () => {
  it('is a folder unless it is set', () => {
    expect(readConfig({}).blobs).toBeNull();
    expect(readConfig(key).blobs).toBeNull();
  });

  it.each([
    ['s3://files', { bucket: 'files', prefix: '', endpoint: null, region: 'us-east-1', isPathStyle: false }],
    ['s3://files/', { bucket: 'files', prefix: '' }],
    ['s3://files/a/b/', { prefix: 'a/b/' }],
    ['s3://files?region=eu-central-1', { region: 'eu-central-1', isPathStyle: false }],
    ['s3://files?endpoint=https://s3.example:9000', { endpoint: 'https://s3.example:9000', isPathStyle: true }],
    [
      's3://files?endpoint=http%3A%2F%2Fminio%3A9000&pathStyle=false',
      { endpoint: 'http://minio:9000', isPathStyle: false },
    ],
  ])('%s', (url, place) => {
    expect(readConfig({ BLOB_URL: url }).blobs).toMatchObject({ ...place, credentials: null });
  });

  it('takes its key from the two variables', () => {
    expect(readConfig({ BLOB_URL: 's3://files', ...key }).blobs?.credentials).toEqual({
      accessKeyId: 'AKID',
      secretAccessKey: 'very-secret-key',
    });
  });

  it.each([
    ['https://files.s3.amazonaws.com', /BLOB_URL: is no s3:\/\/ address; write s3:\/\//],
    ['files', /BLOB_URL: is no s3:\/\/ address/],
    ['s3://', /BLOB_URL: names no bucket/],
    ['s3://A_bucket!', /BLOB_URL: names no bucket/],
    ['s3://id:hidden@files', /BLOB_URL: holds a key.*S3_ACCESS_KEY_ID/],
    ['s3://files/a b', /BLOB_URL: has a prefix/],
    ['s3://files/..%2f', /BLOB_URL: has a prefix/],
    ['s3://files?endpiont=https://s3.example', /BLOB_URL: has a parameter it does not know/],
    ['s3://files?endpoint=s3.example', /BLOB_URL: has an endpoint that is no http/],
    ['s3://files?endpoint=https://id:hidden@s3.example', /BLOB_URL: has an endpoint/],
    ['s3://files?pathStyle=yes', /BLOB_URL: pathStyle must be true or false/],
  ])('says what is wrong with %s, and shows no key', (url, problem) => {
    const read = (): unknown => readConfig({ BLOB_URL: url });
    expect(read).toThrow(problem);
    expect(read).not.toThrow(/hidden/);
  });

  it('wants both halves of a key', () => {
    expect(() => readConfig({ S3_ACCESS_KEY_ID: 'AKID' })).toThrow(/S3_SECRET_ACCESS_KEY: needed/);
    expect(() => readConfig({ S3_SECRET_ACCESS_KEY: 'very-secret-key' })).toThrow(
      /^(?![^]*very)[^]*S3_ACCESS_KEY_ID: needed/,
    );
  });
});

it('keeps threads for ever unless RETENTION_DAYS says how long', () => {
  expect(readConfig({}).retentionMs).toBeNull();
  expect(readConfig({ RETENTION_DAYS: '30' }).retentionMs).toBe(30 * 24 * 3600 * 1000);
  for (const days of ['0', '-1', 'soon']) expect(() => readConfig({ RETENTION_DAYS: days })).toThrow(/RETENTION_DAYS/);
});

it('writes the audit log beside the data unless told where, or off', () => {
  expect(readConfig({ DATA_DIR: '/srv/plotline' }).auditPath).toBe('/srv/plotline/audit.jsonl');
  expect(readConfig({ AUDIT_LOG: '/var/log/plotline/who.jsonl' }).auditPath).toBe('/var/log/plotline/who.jsonl');
  expect(readConfig({ AUDIT_LOG: 'off' }).auditPath).toBeNull();
});
