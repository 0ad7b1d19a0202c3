/** The store in a SQLite file, and what is particular to files. */

import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/book/store/store.ts';
import { allOf, codeOf, describeConformance } from './conformance.ts';
import { sqliteSite, temporaryFolder } from './sites.ts';
import { describeTampering } from './tampering.ts';

describeConformance('SQLite', sqliteSite);
describeTampering('SQLite', sqliteSite);

describe('the file of a store', () => {
  it('one changed byte anywhere: found, or it was no byte of a record', async () => {
    const site = await sqliteSite();
    const store = await openStore(site.location);
    for (let i = 0; i < 40; i++) {
      await store.append([{ kind: 'fill', body: 'x'.repeat(100 + 10 * i), key: `k-${i}` }]);
    }
    await store.close();
    const copy = `${site.location}.copy`;
    const reader = await openStore(site.location, { readOnly: true });
    const records = await allOf(reader);
    await reader.close();
    const bytes = readFileSync(site.location);
    let found = 0;
    for (let i = 0; i < 40; i++) {
      const at = (i * 7919 + 13) % bytes.length;
      const damaged = Buffer.from(bytes);
      damaged[at] = damaged[at]! ^ (1 << (i % 8));
      writeFileSync(copy, damaged);
      for (const end of ['-wal', '-shm']) rmSync(copy + end, { force: true });
      const opened = await openStore(copy, { readOnly: true }).catch(() => null);
      const report = await opened?.verify();
      if (report?.ok === true) expect(await allOf(opened!)).toEqual(records);
      else found += 1;
      await opened?.close();
    }
    expect(found).toBeGreaterThan(8);
    await site.remove();
  });

  it('is refused where it is no store, no file, or in no folder', async () => {
    const folder = temporaryFolder();
    const text = join(folder, 'text.db');
    writeFileSync(text, 'this is not a database, but it is long enough to be looked at'.repeat(20));
    expect(await codeOf(openStore(text))).toBe('STORE_CORRUPT');
    expect(await codeOf(openStore(text, { readOnly: true }))).toBe('STORE_CORRUPT');
    expect(await codeOf(openStore(folder))).toBe('INVALID_FIELD');
    expect(await codeOf(openStore(join(folder, 'none', 'book.db')))).toBe('NOT_FOUND');
    const absent = join(folder, 'absent.db');
    expect(await codeOf(openStore(absent, { readOnly: true }))).toBe('NOT_FOUND');
    const site = await sqliteSite();
    await site.exec('CREATE TABLE other (x)');
    expect(await codeOf(openStore(site.location))).toBe('STORE_CORRUPT');
    await site.remove();
    rmSync(folder, { recursive: true });
  });

  it('odd names are names of files', async () => {
    const folder = temporaryFolder();
    for (const name of ['a b?mode=memory#c%41.db', 'file:x', ':memory:', 'é🚢']) {
      const store = await openStore(join(folder, name));
      await store.append([{ kind: 'a', body: 1 }]);
      expect(await store.verify()).toMatchObject({ ok: true, records: 1 });
      await store.backup(join(folder, `${name} copy'"`));
      await store.close();
      copyFileSync(join(folder, name), join(folder, 'alone.db'));
      const alone = await openStore(join(folder, 'alone.db'), { readOnly: true });
      expect((await alone.head()).seq).toBe(1);
      await alone.close();
    }
    rmSync(folder, { recursive: true });
  });
});
