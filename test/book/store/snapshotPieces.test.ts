/** Snapshots that are made while they are stored: pieces of any size, and a maker that fails or dies on the way. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/book/store/store.ts';
import { LIMITS } from '../../../src/limits.ts';
import { type Site, sqliteSite } from './sites.ts';

const PART = LIMITS.storeSnapshotPartBytes;

let site: Site;
beforeEach(async () => {
  site = await sqliteSite();
});
afterEach(() => site.remove());

const countOfParts = async (): Promise<unknown> =>
  (await site.run(`SELECT count(*) FROM ${site.snapshotParts}`))[0]![0];

async function* cut(state: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let i = 0; from < state.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield state.subarray(from, from + size);
    from += size;
  }
}

describe('a snapshot in pieces', () => {
  it('is the same whatever the pieces', async () => {
    const store = await openStore(site.location);
    const state = Uint8Array.from({ length: 2 * PART + 5 }, (_, i) => (i * 31) >> 5);
    for (const sizes of [[PART], [1 + PART, 3], [PART - 1], [0, 70_000, 1], [2 * PART + 5]]) {
      const [record] = await store.append([{ kind: 'a', body: sizes }]);
      const { seq, hash } = record!;
      await store.saveSnapshot({ seq, hash, state: cut(state, sizes) });
      const found = await store.latestSnapshot();
      expect(found!.seq).toBe(seq);
      expect(Buffer.compare(found!.state, state)).toBe(0);
    }
    // As many as are kept, of three parts each.
    expect(await countOfParts()).toBe(3 * LIMITS.storeSnapshotsKept);
    expect(await store.verify()).toMatchObject({ ok: true, remarks: [] });
    await store.close();
  });

  it('that fails on the way leaves the one before, and none of its parts', async () => {
    const store = await openStore(site.location);
    const [first, second] = await store.append([
      { kind: 'a', body: 1 },
      { kind: 'a', body: 2 },
    ]);
    const state = new Uint8Array(PART + 1).fill(7);
    await store.saveSnapshot({ seq: first!.seq, hash: first!.hash, state });
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield state;
      yield state;
      throw new Error('the maker failed');
    };
    const { seq, hash } = second!;
    await expect(store.saveSnapshot({ seq, hash, state: failing() })).rejects.toThrow(/the maker/);
    expect((await store.latestSnapshot())!.seq).toBe(first!.seq);
    expect(await countOfParts()).toBe(2);
    await store.saveSnapshot({ seq, hash, state: cut(state, [PART]) });
    expect((await store.latestSnapshot())!.seq).toBe(seq);
    await store.close();
  });

  it('whose process is killed on the way does not count; the next one tidies up', async () => {
    const script = fileURLToPath(new URL('./snapshotMaker.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, site.location], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // It says how many parts are stored; the third is on its way.
    let said = '';
    for await (const piece of child.stdout.setEncoding('utf8')) {
      said += piece;
      if (said.includes('2 parts')) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const store = await openStore(site.location);
    const found = await store.latestSnapshot();
    expect(found).toMatchObject({ seq: 1 });
    expect(Buffer.from(found!.state).toString()).toBe('whole');
    const head = await store.head();
    expect(head.seq).toBe(2);
    await store.saveSnapshot({ ...head, state: new Uint8Array(3) });
    expect(await countOfParts()).toBe(2);
    expect(await store.verify()).toMatchObject({ ok: true, remarks: [] });
    await store.close();
  });
});
