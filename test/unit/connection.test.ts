import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createConnection } from '../../sandbox/connection.ts';
import { encodeFrame } from '../../sandbox/framing.ts';
import { createLogger } from '../../src/log.ts';
import { createFakeDriver, doneHeader, muxed } from '../fakes/fake-driver.ts';

const log = createLogger('silent');

/** A stream that always has another chunk, and counts how many were taken. */
function endless(chunk: Uint8Array): { readonly stream: Duplex; taken(): number } {
  let taken = 0;
  const stream = new Duplex({
    read() {
      taken += 1;
      this.push(chunk);
    },
    write(_chunk, _encoding, done) {
      done();
    },
  });
  return { stream, taken: () => taken };
}

describe("a driver's connection", () => {
  it('reads one message ahead: a consumer that does not ask stops the driver', async () => {
    const chunk = muxed(encodeFrame({ type: 'data', id: 1 }, Buffer.alloc(60_000)), 1);
    const { stream, taken } = endless(chunk);
    const connection = createConnection(stream, log, () => {});
    // What the stream itself holds: its own buffer is 64 KiB.
    const slack = 4;
    for (let asked = 0; asked < 30; asked += 1) {
      await sleep(1);
      expect(connection.waiting).toBe(true);
      expect(taken()).toBeLessThanOrEqual(asked + slack);
      await connection.next(1000);
    }
    connection.close('disposed', 'the test is over');
  });

  it('holds no more of a frame that is not whole than its bytes', async () => {
    const driver = createFakeDriver(() => {});
    const connection = createConnection(driver.stream, log, () => {});
    const payload = Buffer.alloc(3_000_000, 5);
    const bytes = encodeFrame({ type: 'data', id: 1 }, payload);
    for (let offset = 0; offset < bytes.length; offset += 50_000)
      driver.sendRaw(bytes.subarray(offset, offset + 50_000));
    const frame = await connection.next(1000);
    expect(Buffer.from(frame.payload).equals(payload)).toBe(true);
    // Its own memory: no chunk of the stream is kept alive by it.
    expect(frame.payload.buffer.byteLength).toBe(payload.length);
    connection.close('disposed', 'the test is over');
  });

  it('notices a stream that was over before it began', async () => {
    const { stream } = endless(Buffer.alloc(1));
    stream.destroy();
    await sleep(1);
    let ends = 0;
    const connection = createConnection(stream, log, () => (ends += 1));
    await expect(connection.next(60_000)).rejects.toMatchObject({ reason: 'gone' });
    expect(ends).toBe(1);
  });

  it('gives what came before the end, and then the end', async () => {
    const driver = createFakeDriver(() => {});
    const connection = createConnection(driver.stream, log, () => {});
    driver.send(doneHeader(1));
    driver.send(doneHeader(2));
    await sleep(5);
    driver.end();
    await sleep(5);
    expect((await connection.next(1000)).message).toMatchObject({ type: 'done', id: 1 });
    await expect(
      (async () => {
        for (;;) await connection.next(1000);
      })(),
    ).rejects.toMatchObject({ reason: 'gone' });
  });

  it('that was let go gives nothing more', async () => {
    const driver = createFakeDriver(() => {});
    const connection = createConnection(driver.stream, log, () => {});
    driver.send(doneHeader(1));
    await sleep(5);
    connection.close('disposed', 'enough');
    await expect(connection.next(1000)).rejects.toMatchObject({ reason: 'disposed' });
  });
});
