/** What every store must do, whatever it is made of. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  GENESIS,
  type Head,
  type LogRecord,
  openStore,
  type Store,
} from '../../../src/book/store/store.ts';
import type { PlimsollError } from '../../../src/errors.ts';
import { LIMITS } from '../../../src/limits.ts';
import { type Site, temporaryFolder } from './sites.ts';

interface ChainFixture {
  readonly start: number;
  readonly drafts: readonly { readonly kind: string; readonly body: unknown }[];
  readonly records: readonly LogRecord[];
}
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/logChain.json', import.meta.url), 'utf8'),
) as ChainFixture;

export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: PlimsollError) => error.code,
  );

export async function allOf(store: Store, from = 1): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const page of store.pages(from)) records.push(...page);
  return records;
}

export function describeConformance(name: string, make: () => Promise<Site>): void {
  describe(`the store in ${name}`, () => {
    let site: Site;
    beforeAll(async () => {
      site = await make();
    });
    afterAll(() => site.remove());

    it('chains records as another program does', async () => {
      let now = fixture.start;
      const store = await openStore(site.location, { clock: () => now });
      expect(await store.head()).toEqual({ seq: 0, hash: GENESIS });
      const records: LogRecord[] = [];
      for (const draft of fixture.drafts) {
        records.push(...(await store.append([draft])));
        now += 1000;
      }
      expect(records).toEqual(fixture.records);
      expect(await allOf(store)).toEqual(fixture.records);
      await store.close();
      const again = await openStore(site.location);
      expect(await again.head()).toEqual({ seq: 6, hash: fixture.records[5]!.hash });
      expect(await again.read(3, 2)).toEqual(fixture.records.slice(2, 4));
      expect(await again.read(7, 10)).toEqual([]);
      await again.close();
    });

    it('answers keys across restarts, and takes none twice', async () => {
      const store = await openStore(site.location);
      expect(await store.answerTo('k-1')).toEqual({
        seq: 2,
        answer: { status: 201, seq: 2 },
        bodyHash: 'sha256:00ff',
      });
      expect(await store.answerTo('key with spaces & quotes "\'')).toEqual({
        seq: 4,
        answer: null,
      });
      expect(await store.answerTo('k-2')).toBeNull();
      const before = await store.head();
      const refused = store.append([
        { kind: 'a', body: 1 },
        { kind: 'b', body: 2, key: 'k-1' },
      ]);
      const passed = store.append([{ kind: 'c', body: 3, key: 'k-3' }]);
      const twice = store.append([{ kind: 'c', body: 3, key: 'k-3' }]);
      expect(await codeOf(refused)).toBe('DUPLICATE_KEY');
      expect((await passed)[0]!.seq).toBe(before.seq + 1);
      expect(await codeOf(twice)).toBe('DUPLICATE_KEY');
      expect((await store.head()).seq).toBe(before.seq + 1);
      await store.close();
    });

    it('eight callers at once: every call whole, in order, each number once', async () => {
      const store = await openStore(site.location);
      const from = (await store.head()).seq + 1;
      const resolved: number[] = [];
      const caller = async (id: number): Promise<void> => {
        for (let i = 0; i < 60; i++) {
          const size = 1 + ((id + i) % 4);
          const drafts = Array.from({ length: size }, (_, part) => {
            return { kind: 'load', body: { id, i, part, size } };
          });
          const records = await store.append(drafts);
          resolved.push(records[0]!.seq);
          expect(records.map(({ body }) => body)).toEqual(drafts.map(({ body }) => body));
          expect(records.map(({ seq }) => seq - records[0]!.seq)).toEqual(drafts.map((_, k) => k));
        }
      };
      await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(caller));
      expect(resolved).toEqual([...resolved].sort((a, b) => a - b));
      const records = await allOf(store, from);
      expect(records.map(({ seq }) => seq)).toEqual(records.map((_, i) => from + i));
      expect(records.length).toBe(8 * 60 * 2.5);
      await store.close();
    });

    it('the clock may go backwards, records never do', async () => {
      let now = Date.parse('2040-01-01T00:00:00.000Z');
      const store = await openStore(site.location, { clock: () => now });
      const [first] = await store.append([{ kind: 'a', body: 1 }]);
      now -= 3_600_000;
      const [second] = await store.append([{ kind: 'a', body: 2 }]);
      expect(second!.at).toBe(first!.at);
      await store.close();
      const later = await openStore(site.location);
      const [third] = await later.append([{ kind: 'a', body: 3 }]);
      expect(third!.at).toBe(first!.at);
      await later.close();
    });

    it('has one writer; readers go beside it', async () => {
      const writer = await openStore(site.location);
      expect(await codeOf(openStore(site.location))).toBe('STORE_LOCKED');
      expect(await codeOf(openStore(site.location))).toBe('STORE_LOCKED');
      const reader = await openStore(site.location, { readOnly: true });
      expect(await codeOf(reader.append([{ kind: 'a', body: 1 }]))).toBe('STORE_READ_ONLY');
      expect(await codeOf(reader.compact())).toBe('STORE_READ_ONLY');
      const [record] = await writer.append([{ kind: 'a', body: 1 }]);
      expect(await reader.head()).toEqual({ seq: record!.seq, hash: record!.hash });
      await reader.close();
      await writer.close();
      await (await openStore(site.location)).close();
      expect(await codeOf(writer.append([{ kind: 'a', body: 1 }]))).toBe('CLOSED');
    });

    it('refuses what is not a record', async () => {
      const store = await openStore(site.location);
      const before = await store.head();
      const bad: [unknown, string][] = [
        [{ kind: '', body: 1 }, 'INVALID_FIELD'],
        [{ kind: 'é', body: 1 }, 'INVALID_FIELD'],
        [{ kind: 'a' }, 'MISSING_FIELD'],
        [{ kind: 'a', body: { price: Number.NaN } }, 'INVALID_FIELD'],
        [{ kind: 'a', body: { at: new Date(0) } }, 'INVALID_FIELD'],
        [{ kind: 'a', body: [1n] }, 'INVALID_FIELD'],
        [{ kind: 'a', body: 1, key: 'x'.repeat(LIMITS.storeKeyLengthMax + 1) }, 'INVALID_FIELD'],
        [{ kind: 'a', body: 1, key: 'line\nend' }, 'INVALID_FIELD'],
        [{ kind: 'a', body: 1, answer: [undefined] }, 'INVALID_FIELD'],
      ];
      for (const [draft, code] of bad) {
        const good = { kind: 'good', body: 1 };
        expect(await codeOf(store.append([good, draft as typeof good]))).toBe(code);
      }
      for (const [from, limit] of [
        [0, 1],
        [1, 0],
        [1.5, 1],
        [1, LIMITS.storePageRecordsMax + 1],
      ] as const) {
        expect(await codeOf(store.read(from, limit))).toBe('INVALID_FIELD');
      }
      expect(await store.append([])).toEqual([]);
      expect(await store.head()).toEqual(before);
      await store.close();
    });

    it('live records are what will be read: -0, absent members, odd strings', async () => {
      const store = await openStore(site.location);
      const body = {
        z: -0,
        gone: undefined,
        text: '\u0000 \ud800 \u2028 ship 🚢',
        __proto__: null,
      };
      const [live] = await store.append([{ kind: 'odd', body }]);
      const [read] = await store.read(live!.seq, 1);
      expect(read).toStrictEqual(live);
      expect(Object.is((live!.body as { z: number }).z, 0)).toBe(true);
      await store.close();
    });

    it('a page ends where it becomes large, and has one record at least', async () => {
      const own = await make();
      const store = await openStore(own.location);
      const text = 'x'.repeat(LIMITS.storePageCharsMax / 2 - 100);
      for (let i = 0; i < 3; i++) await store.append([{ kind: 'large', body: text }]);
      await store.append([{ kind: 'huge', body: `${text}${text}${text}` }]);
      expect((await store.read(1, 10)).length).toBe(2);
      expect((await store.read(4, 10)).length).toBe(1);
      const kinds = (await allOf(store)).map(({ kind }) => kind);
      expect(kinds).toEqual(['large', 'large', 'large', 'huge']);
      await store.close();
      // The end of the log is looked at when it is opened: a large last record is found there too.
      await (await openStore(own.location)).close();
      await own.remove();
    });

    it('keeps the newest snapshots, whole or not at all', async () => {
      const warnings: string[] = [];
      const open = () => openStore(site.location, { warn: (text) => warnings.push(text) });
      const store = await open();
      expect(await store.latestSnapshot()).toBeNull();
      const state = Uint8Array.from({ length: 2_500_000 }, (_, i) => (i * 31) >> 3);
      const heads: Head[] = [];
      for (let i = 0; i < 5; i++) {
        const [record] = await store.append([{ kind: 'a', body: i }]);
        heads.push({ seq: record!.seq, hash: record!.hash });
        await store.saveSnapshot({ ...heads[i]!, state: state.subarray(i) });
      }
      expect(await codeOf(store.saveSnapshot({ ...heads[4]!, hash: GENESIS, state }))).toBe(
        'INVALID_FIELD',
      );
      await store.close();
      const again = await open();
      const found = await again.latestSnapshot();
      expect(found).toMatchObject(heads[4]!);
      expect(Buffer.compare(found!.state, state.subarray(4))).toBe(0);
      expect((await again.info()).snapshots.map(({ seq }) => seq)).toEqual(
        [4, 3, 2].map((i) => heads[i]!.seq),
      );
      expect(await again.verify()).toMatchObject({ ok: true, remarks: [] });
      await again.close();
      // The last part of the newest is damaged: the one before is taken, and somebody is told.
      await site.run(
        `UPDATE ${site.snapshotParts} SET bytes = ? WHERE seq = ? AND part = 2`,
        Buffer.alloc(2_500_000 - 4 - 2 * 1024 * 1024),
        heads[4]!.seq,
      );
      const damaged = await open();
      expect(await damaged.latestSnapshot()).toMatchObject(heads[3]!);
      expect(warnings).toEqual([expect.stringContaining(`snapshot at record ${heads[4]!.seq}`)]);
      const report = await damaged.verify();
      expect([report.ok, report.problem, report.remarks.length]).toEqual([false, null, 1]);
      await damaged.compact();
      expect((await damaged.info()).snapshots.map(({ seq }) => seq)).toEqual([heads[3]!.seq]);
      // What is damaged is written anew.
      await damaged.saveSnapshot({ ...heads[4]!, state: state.subarray(4) });
      expect(await damaged.latestSnapshot()).toMatchObject(heads[4]!);
      expect(await damaged.verify()).toMatchObject({ ok: true });
      await damaged.close();
    });

    it('an empty state is a snapshot too', async () => {
      const store = await openStore(site.location);
      const head = await store.head();
      await store.saveSnapshot({ ...head, state: new Uint8Array(0) });
      expect(await store.latestSnapshot()).toEqual({ ...head, state: new Uint8Array(0) });
      await store.close();
    });

    it('is copied while it is written to', async () => {
      const folder = temporaryFolder();
      const target = join(folder, 'copy.db');
      const store = await openStore(site.location);
      const before = await store.head();
      let over = false;
      const load = (async () => {
        while (!over) await store.append([{ kind: 'load', body: 'x'.repeat(200) }]);
      })();
      const { head, bytes } = await store.backup(target);
      over = true;
      await load;
      expect(head.seq).toBeGreaterThanOrEqual(before.seq);
      expect(bytes).toBeGreaterThan(0);
      expect(await codeOf(store.backup(target))).toBe('INVALID_FIELD');
      const copy = await openStore(target);
      expect(await copy.head()).toEqual(head);
      expect(await allOf(copy)).toEqual((await allOf(store)).slice(0, head.seq));
      expect(await copy.answerTo('k-1')).toEqual(await store.answerTo('k-1'));
      // The copy is a store like any other: it goes on by itself.
      expect((await copy.append([{ kind: 'a', body: 1 }]))[0]!.seq).toBe(head.seq + 1);
      await copy.close();
      await store.compact();
      expect(await store.verify({ head })).toMatchObject({ ok: true });
      await store.close();
      rmSync(folder, { recursive: true });
    });
  });
}
