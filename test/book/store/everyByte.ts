/** A small log of a real desk, and everything that somebody could do to it: each is found, and the first bad record is named. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Head, openStore, type Problem, type Store } from '../../../src/book/store/store.ts';
import type { Site } from './sites.ts';
import { spoiled, writeLog } from './smallLog.ts';

const COLUMNS = ['at', 'kind', 'body', 'key', 'answer', 'body_hash', 'hash'];

type RowOf = readonly (string | null)[];

export function describeEveryByte(name: string, make: () => Promise<Site>): void {
  describe(`everything that can be done to a log in ${name}`, () => {
    let site: Site;
    let reader: Store;
    let head: Head;
    let kinds: readonly unknown[];

    beforeAll(async () => {
      site = await make();
      await writeLog(site.location);
      reader = await openStore(site.location, { readOnly: true });
      head = await reader.head();
      kinds = (await reader.read(1, 100)).map(({ kind }) => kind);
      await site.exec(`CREATE TABLE original AS SELECT * FROM ${site.log}`);
    });
    afterAll(async () => {
      await reader.close();
      await site.remove();
    });

    const found = async (exported?: Head) => {
      const { problem } = await reader.verify(exported === undefined ? {} : { head: exported });
      return faultOf(problem);
    };
    const move = (from: number, to: number) =>
      site.run(`UPDATE ${site.log} SET seq = ${to} WHERE seq = ${from}`);
    const restore = async () => {
      await site.exec(`DELETE FROM ${site.log}`);
      await site.exec(`INSERT INTO ${site.log} SELECT * FROM original`);
    };
    const rowAt = async (seq: number): Promise<RowOf> => {
      const columns = COLUMNS.join(', ');
      const rows = await site.run(`SELECT ${columns} FROM ${site.log} WHERE seq = ${seq}`);
      return rows[0] as RowOf;
    };

    it('has a record of every kind that matters', async () => {
      expect(kinds).toEqual(
        expect.arrayContaining([
          ...['market-replaced', 'account-opened', 'contract-listed', 'fill', 'ticks'],
          ...['collateral-moved', 'margin', 'state-changed'],
        ]),
      );
      expect(await found(head)).toBeNull();
    });

    it('any changed character in any column of any record', async () => {
      let tried = 0;
      for (let seq = 1; seq <= head.seq; seq++) {
        const row = await rowAt(seq);
        for (const [i, column] of COLUMNS.entries()) {
          const text = row[i]!;
          const put = (value: string | null) =>
            site.run(`UPDATE ${site.log} SET ${column} = ? WHERE seq = ${seq}`, value);
          for (const value of spoiled(text)) {
            await put(value);
            const fault = await found();
            // The message is made only where it is needed: it holds the text.
            if (fault?.[0] !== 'changed' || fault[1] !== seq) {
              expect(fault, `${column} of ${seq}: ${value}`).toEqual(['changed', seq]);
            }
            tried += 1;
          }
          await put(text);
        }
      }
      expect(await found(head)).toBeNull();
      expect(tried).toBeGreaterThan(head.seq * COLUMNS.length);
    });

    it('any record removed, whether or not the others close up', async () => {
      for (let seq = 1; seq <= head.seq; seq++) {
        await site.run(`DELETE FROM ${site.log} WHERE seq = ${seq}`);
        const last = seq === head.seq;
        expect(await found()).toEqual(last ? null : ['missing', seq]);
        expect(await found(head)).toEqual([last ? 'cut' : 'missing', seq]);
        for (let after = seq + 1; after <= head.seq; after++) await move(after, after - 1);
        expect(await found(head)).toEqual([last ? 'cut' : 'changed', seq]);
        await restore();
      }
    });

    it('any two records swapped', async () => {
      for (let one = 1; one < head.seq; one++) {
        for (let other = one + 1; other <= head.seq; other++) {
          await move(one, -1);
          await move(other, one);
          await move(-1, other);
          expect(await found()).toEqual(['changed', one]);
          await restore();
        }
      }
    });

    it('a copy of any record put in at any place', async () => {
      const columns = `at, kind, body, ${site.log === 'log' ? 'NULL' : 'NULL::text'}, answer, body_hash, hash`;
      for (let place = 1; place <= head.seq + 1; place++) {
        for (let seq = head.seq; seq >= place; seq--) await move(seq, seq + 1);
        for (let from = 1; from <= head.seq; from++) {
          await site.run(
            `INSERT INTO ${site.log} (seq, at, kind, body, key, answer, body_hash, hash)
             SELECT ${place}, ${columns} FROM original WHERE seq = ${from}`,
          );
          // A copy at its own place is the record itself, if it had no key: then the next is one too many.
          const itself = from === place && (await isKeyless(from));
          expect(await found()).toEqual(['changed', itself ? place + 1 : place]);
          await site.run(`DELETE FROM ${site.log} WHERE seq = ${place}`);
        }
        await restore();
      }
    });

    const isKeyless = async (seq: number): Promise<boolean> => {
      const rows = await site.run(`SELECT key FROM original WHERE seq = ${seq}`);
      return rows[0]![0] === null;
    };

    it('any tail cut off, against the exported head', async () => {
      for (let left = head.seq - 1; left >= 0; left--) {
        await site.run(`DELETE FROM ${site.log} WHERE seq > ${left}`);
        expect(await found()).toBeNull();
        expect(await found(head)).toEqual(['cut', left + 1]);
      }
      await restore();
      expect(await found(head)).toBeNull();
    });

    it('a changed byte of a snapshot of the book', async () => {
      const { snapshotParts } = site;
      const [[seq, part, bytes]] = (await site.run(
        `SELECT seq, part, bytes FROM ${snapshotParts} LIMIT 1`,
      )) as [[number, number, Uint8Array]];
      const put = (value: Uint8Array) =>
        site.run(
          `UPDATE ${snapshotParts} SET bytes = ? WHERE seq = ${seq} AND part = ${part}`,
          value,
        );
      for (let at = 0; at < bytes.length; at += 1) {
        const damaged = Buffer.from(bytes);
        damaged[at] = damaged[at]! ^ (1 << (at % 8));
        await put(damaged);
        const { ok, problem, remarks } = await reader.verify();
        expect([ok, problem, remarks[0]?.about]).toEqual([false, null, 'snapshot']);
      }
      await put(Buffer.from(bytes));
      expect(await reader.verify()).toMatchObject({ ok: true });
    });
  });
}

const faultOf = (problem: Problem | null) => problem && ([problem.fault, problem.seq] as const);
