/** A process that puts an endless file into S3, to be killed: `node s3-put-child.ts PLACE SPOOL-FOLDER`. Prints a line for each MB. */
import { createS3Blobs } from '../../src/blobs/s3-blobs.ts';
import type { S3Place } from '../../src/blob-config.ts';

const [place = '', spoolDir = '', megabytes = ''] = process.argv.slice(2);

async function* slowly(): AsyncIterable<Uint8Array> {
  for (let count = 0; count < Number(megabytes); count += 1) {
    yield new Uint8Array(1024 * 1024).fill(count);
    process.stdout.write(`${count}\n`);
  }
}

const blobs = createS3Blobs({ place: JSON.parse(place) as S3Place, spoolDir });
const { sha256 } = await blobs.put(slowly(), { maxBytes: Number.MAX_SAFE_INTEGER });
process.stdout.write(`put ${sha256} ${process.resourceUsage().maxRSS}\n`);
