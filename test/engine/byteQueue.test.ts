/** The queue against Buffer.concat of all that went in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../../src/engine/byteQueue.ts';

describe('ByteQueue', () => {
  it('gives back the bytes in order, whatever the pieces and the takings', () => {
    const piece = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 4000, max: 5000 }));
    const step = fc.tuple(piece, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ByteQueue();
        let waiting = Buffer.alloc(0);
        let next = 0;
        for (const [length, share, dropped] of steps) {
          const added = Uint8Array.from({ length }, () => next++ % 251);
          queue.push(added);
          // What is pushed may be overwritten later only by its owner; the small ones are copied.
          waiting = Buffer.concat([waiting, added]);
          const count = Math.floor(share * waiting.length);
          if (dropped) queue.drop(count);
          else expect(waiting.subarray(0, count).equals(queue.take(count))).toBe(true);
          waiting = waiting.subarray(count);
          expect(queue.length).toBe(waiting.length);
        }
      }),
      { seed: 29, numRuns: 300 },
    );
  });

  it('takes many small pieces in time that grows with their number', () => {
    const queue = new ByteQueue();
    const one = Uint8Array.of(7);
    for (let i = 0; i < 3_000_000; i++) queue.push(one);
    expect(queue.take(3_000_000).every((byte) => byte === 7)).toBe(true);
  });

  it('refuses to give more than there is', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2));
    expect(() => queue.take(3)).toThrow('3 bytes were asked of 2');
  });
});
