/** Group commit by itself, on a disk that answers when the test says so. */
import { describe, expect, it } from 'vitest';
import { linkCalls, type Outcome } from '../../../src/book/store/chain.ts';
import { GroupCommit } from '../../../src/book/store/groupCommit.ts';
import { EMPTY, type TextDraft, type Tip } from '../../../src/book/store/logRecord.ts';
import { PlimsollError } from '../../../src/errors.ts';
import { LIMITS } from '../../../src/limits.ts';

/** Each commit waits for `pass` or `fail`. */
class Disk {
  readonly batches: number[] = [];
  private tip: Tip = EMPTY;
  private waiting: ((error: PlimsollError | null) => void)[] = [];

  readonly commit = async (
    calls: readonly (readonly TextDraft[])[],
  ): Promise<readonly Outcome[]> => {
    this.batches.push(calls.length);
    const error = await new Promise<PlimsollError | null>((resolve) => this.waiting.push(resolve));
    if (error !== null) throw error;
    const linked = linkCalls(calls, this.tip, 0, () => false);
    this.tip = linked.tip;
    return linked.outcomes;
  };

  async end(error: PlimsollError | null = null): Promise<void> {
    while (this.waiting.length === 0) await new Promise(setImmediate);
    this.waiting.shift()!(error);
  }
}

const draft = (body: unknown) => ({ kind: 'tick', body });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: PlimsollError) => error.code,
  );

describe('group commit', () => {
  it('takes all that came in while the disk was busy, in order', async () => {
    const disk = new Disk();
    const writing = new GroupCommit(disk.commit);
    const order: number[] = [];
    const append = (i: number) =>
      writing.append([draft(i), draft(-i)]).then((records) => {
        order.push(i);
        expect(records.map(({ seq, body }) => [seq, body])).toEqual([
          [2 * i - 1, i],
          [2 * i, -i],
        ]);
      });
    const first = append(1);
    await new Promise(setImmediate);
    const rest = [2, 3, 4, 5].map(append);
    await disk.end();
    await first;
    await disk.end();
    await Promise.all(rest);
    expect(disk.batches).toEqual([1, 4]);
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });

  it('a failure fails what waits behind it, refuses for a moment, and is over with the first success', async () => {
    const disk = new Disk();
    const writing = new GroupCommit(disk.commit);
    const full = new PlimsollError('STORE_FULL', 'no room');
    const first = codeOf(writing.append([draft(1)]));
    await new Promise(setImmediate);
    const second = codeOf(writing.append([draft(2)]));
    await disk.end(full);
    expect([await first, await second]).toEqual(['STORE_FULL', 'STORE_FULL']);
    expect(writing.failure?.code).toBe('STORE_FULL');
    expect(await codeOf(writing.append([draft(3)]))).toBe('STORE_FULL');
    expect(disk.batches).toEqual([1]);
    await new Promise((resolve) => setTimeout(resolve, LIMITS.storeRetryMs + 20));
    const after = writing.append([draft(4)]);
    await disk.end();
    expect((await after)[0]!.seq).toBe(1);
    expect(writing.failure).toBeNull();
  });

  it('refuses what would wait without bound, and takes it again when there is room', async () => {
    const disk = new Disk();
    const writing = new GroupCommit(disk.commit);
    const half = Array.from({ length: LIMITS.storeQueueRecordsMax / 2 }, (_, i) => draft(i));
    const taken = [writing.append(half), writing.append(half)];
    expect(await codeOf(writing.append([draft(0)]))).toBe('SATURATED');
    await disk.end();
    await taken[0];
    const more = writing.append([draft(0)]);
    await disk.end();
    await disk.end();
    expect((await more)[0]!.seq).toBe(LIMITS.storeQueueRecordsMax + 1);
    expect((await taken[1])!.length).toBe(half.length);
  });

  it('closes when what it took is durable, and takes no more', async () => {
    const disk = new Disk();
    const writing = new GroupCommit(disk.commit);
    const taken = writing.append([draft(1)]);
    const closed = writing.close();
    expect(await codeOf(writing.append([draft(2)]))).toBe('CLOSED');
    await disk.end();
    await closed;
    expect((await taken)[0]!.seq).toBe(1);
  });
});
