/** Whatever is done to the stored records behind the store's back is found, and the first bad record is named. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Head, openStore, type Problem, type Store } from '../../../src/book/store/store.ts';
import { codeOf } from './conformance.ts';
import type { Site } from './sites.ts';

const RECORDS = 12;
const TEXTS = ['at', 'kind', 'body', 'key', 'answer', 'body_hash', 'hash'];

/** Another text of the same length: one character of it is another one. */
function changed(text: string, at: number): string {
  const i = at % text.length;
  const code = text.charCodeAt(i) === 48 ? '1' : '0';
  return text.slice(0, i) + code + text.slice(i + 1);
}

export function describeTampering(name: string, make: () => Promise<Site>): void {
  describe(`tampering with the store in ${name}`, () => {
    let site: Site;
    let reader: Store;
    let head: Head;

    beforeAll(async () => {
      site = await make();
      const store = await openStore(site.location);
      for (let i = 1; i <= RECORDS; i++) {
        // Published margins are records like any other.
        const kind = i % 3 === 0 ? 'margin' : 'fill';
        const keyed = i % 2 === 0 ? { key: `k-${i}`, answer: { i }, bodyHash: `sha256:${i}` } : {};
        await store.append([{ kind, body: { account: `acct-${i}`, size: i }, ...keyed }]);
      }
      head = await store.head();
      await store.close();
      await site.exec(`CREATE TABLE original AS SELECT * FROM ${site.log}`);
      reader = await openStore(site.location, { readOnly: true });
    });
    afterAll(async () => {
      await reader.close();
      await site.remove();
    });

    /** Tampers, verifies, puts everything back. */
    async function problemAfter(tamper: () => Promise<unknown>, exported?: Head) {
      await tamper();
      const report = await reader.verify(exported === undefined ? {} : { head: exported });
      await site.exec(`DELETE FROM ${site.log}`);
      await site.exec(`INSERT INTO ${site.log} SELECT * FROM original`);
      expect(report.ok).toBe(report.problem === null);
      const { problem } = report;
      if (problem !== null) expect(report.records).toBe(Math.max(0, problem.seq - 1));
      return report.problem;
    }
    const faultOf = (problem: Problem | null) => problem && [problem.fault, problem.seq];
    const move = (from: number, to: number) =>
      site.run(`UPDATE ${site.log} SET seq = ${to} WHERE seq = ${from}`);

    it('nothing was done: nothing is found', async () => {
      expect(await reader.verify({ head })).toEqual({
        ok: true,
        records: RECORDS,
        head,
        problem: null,
        remarks: [],
      });
    });

    it('a changed character in any column of any record', async () => {
      for (let seq = 1; seq <= RECORDS; seq++) {
        const columns = TEXTS.join(', ');
        const [row] = await site.run(`SELECT ${columns} FROM ${site.log} WHERE seq = ${seq}`);
        // Each column of the first, a middle and the last record, and one of each of the others.
        const all = [1, 6, RECORDS].includes(seq);
        for (const column of all ? TEXTS : [TEXTS[seq % TEXTS.length]!]) {
          const before = row![TEXTS.indexOf(column)] as string | null;
          const after = before === null ? '1' : changed(before, 7 * seq);
          const tamper = () =>
            site.run(`UPDATE ${site.log} SET ${column} = ? WHERE seq = ${seq}`, after);
          expect(faultOf(await problemAfter(tamper)), column).toEqual(['changed', seq]);
        }
        if (row![TEXTS.indexOf('key')] === null || !all) continue;
        const tamper = () => site.run(`UPDATE ${site.log} SET key = NULL WHERE seq = ${seq}`);
        expect(faultOf(await problemAfter(tamper))).toEqual(['changed', seq]);
      }
    });

    it('white space that changes no value', async () => {
      const tamper = () => site.run(`UPDATE ${site.log} SET body = body || ' ' WHERE seq = 5`);
      expect(faultOf(await problemAfter(tamper))).toEqual(['changed', 5]);
    });

    it('columns moved into each other, so that the JSON of the record stays the same', async () => {
      const tamper = () =>
        site.run(`UPDATE ${site.log} SET body = body || ',"bodyHash":"' || body_hash || '"',
          body_hash = NULL WHERE seq = 4`);
      expect(faultOf(await problemAfter(tamper))).toEqual(['changed', 4]);
    });

    it('a changed number', async () => {
      for (const [from, to, found] of [
        [5, 500, ['missing', 5]],
        [RECORDS, 500, ['missing', RECORDS]],
        [1, 0, ['inserted', 0]],
        [4, -3, ['inserted', -3]],
      ] as const) {
        expect(faultOf(await problemAfter(() => move(from, to)))).toEqual(found);
      }
    });

    it('a removed record, whether or not the others close up', async () => {
      const remove = (seq: number) => site.run(`DELETE FROM ${site.log} WHERE seq = ${seq}`);
      expect(faultOf(await problemAfter(() => remove(1)))).toEqual(['missing', 1]);
      expect(faultOf(await problemAfter(() => remove(7)))).toEqual(['missing', 7]);
      const closed = async () => {
        await remove(7);
        for (let seq = 8; seq <= RECORDS; seq++) await move(seq, seq - 1);
      };
      expect(faultOf(await problemAfter(closed))).toEqual(['changed', 7]);
    });

    it('swapped records', async () => {
      const swap = async () => {
        await move(4, 100);
        await move(9, 4);
        await move(100, 9);
      };
      expect(faultOf(await problemAfter(swap))).toEqual(['changed', 4]);
    });

    it('an inserted record, in the middle and at the end', async () => {
      const copyTo = (from: number, to: number) =>
        site.exec(`INSERT INTO ${site.log} (seq, at, kind, body, key, answer, body_hash, hash)
          SELECT ${to}, at, kind, body, NULL, NULL, NULL, hash FROM ${site.log} WHERE seq = ${from}`);
      const middle = async () => {
        for (let seq = RECORDS; seq >= 6; seq--) await move(seq, seq + 1);
        await copyTo(3, 6);
      };
      expect(faultOf(await problemAfter(middle))).toEqual(['changed', 6]);
      const end = () => copyTo(3, RECORDS + 1);
      expect(faultOf(await problemAfter(end))).toEqual(['changed', RECORDS + 1]);
    });

    it('a cut tail, against an exported head', async () => {
      const cut = () => site.run(`DELETE FROM ${site.log} WHERE seq > 8`);
      expect(await problemAfter(cut)).toBeNull();
      expect(faultOf(await problemAfter(cut, head))).toEqual(['cut', 9]);
      const all = () => site.run(`DELETE FROM ${site.log}`);
      expect(faultOf(await problemAfter(all, head))).toEqual(['cut', 1]);
      expect(await problemAfter(async () => {}, { seq: 8, hash: head.hash })).toMatchObject({
        ...{ fault: 'rewritten', seq: 8 },
      });
    });

    it('a chain that was written anew is whole, but not that of the exported head', async () => {
      const anew = await make();
      const store = await openStore(anew.location, { clock: () => 0 });
      for (let i = 1; i <= RECORDS; i++) await store.append([{ kind: 'fill', body: i }]);
      expect(await store.verify()).toMatchObject({ ok: true });
      const { problem } = await store.verify({ head });
      expect(faultOf(problem)).toEqual(['rewritten', RECORDS]);
      await store.close();
      await anew.remove();
    });

    it('a log that was tampered with is not read, and its writer does not start at a bad end', async () => {
      await site.run(`UPDATE ${site.log} SET kind = 'x' WHERE seq IN (5, ${RECORDS})`);
      expect((await reader.read(1, 4)).length).toBe(4);
      expect(await codeOf(reader.read(1, 5))).toBe('STORE_CORRUPT');
      expect(await codeOf(reader.read(5, 1))).toBe('STORE_CORRUPT');
      expect(await codeOf(openStore(site.location))).toBe('STORE_CORRUPT');
      await site.exec(`DELETE FROM ${site.log}`);
      await site.exec(`INSERT INTO ${site.log} SELECT * FROM original`);
      await (await openStore(site.location)).close();
    });
  });
}
