/** `plimsoll verify` and `plimsoll store`, as a user calls them. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/book/store/store.ts';
import { plimsoll } from '../../cli/command.ts';
import { type Site, sqliteSite } from './sites.ts';

describe('commands on a store', () => {
  let site: Site;
  let folder: string;
  beforeAll(async () => {
    site = await sqliteSite();
    folder = join(site.location, '..');
    const store = await openStore(site.location);
    for (let i = 0; i < 10; i++) await store.append([{ kind: 'fill', body: { i } }]);
    await store.saveSnapshot({ ...(await store.head()), state: new Uint8Array(10) });
    await store.close();
  });
  afterAll(() => site.remove());

  const run = (...args: readonly string[]) => plimsoll([...args, '--store', site.location]);
  const document = (text: string) => JSON.parse(text) as Record<string, unknown>;

  it('a whole store: 0, and its head is exported', async () => {
    const head = join(folder, 'head.json');
    expect(await run('store', 'head', '--out', head)).toMatchObject({ code: 0 });
    const exported = JSON.parse(readFileSync(head, 'utf8')) as unknown;
    const verified = await run('verify', '--head', head, '--json');
    expect(verified.code).toBe(0);
    expect(document(verified.stdout)).toEqual({
      ...{ ok: true, records: 10, head: exported, problem: null, remarks: [] },
    });
    const info = document((await run('store', 'info', '--json')).stdout);
    expect(info).toMatchObject({ head: exported, snapshots: [{ seq: 10, bytes: 10 }] });
    expect((await run('store', 'info')).stdout).toContain('records    10\n');
  });

  it('a copy is whole, is not written over, and is broken by one byte: 1', async () => {
    const copy = join(folder, 'copy.db');
    expect(await run('store', 'backup', '--out', copy, '--json')).toMatchObject({ code: 0 });
    expect(await run('store', 'backup', '--out', copy)).toMatchObject({ code: 2 });
    expect(existsSync(`${copy}.part`)).toBe(false);
    const bytes = readFileSync(copy);
    bytes[bytes.indexOf('{"i":6}') + 5] = 0x37;
    writeFileSync(copy, bytes);
    const broken = await plimsoll(['verify', '--store', copy]);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toContain('first bad record  7 (changed)');
  });

  it('a tail that was cut off is found against the head: 1', async () => {
    const head = join(folder, 'head.json');
    const copy = join(folder, 'cut.db');
    await run('store', 'backup', '--out', copy);
    const cut = await sqliteSite(copy);
    await cut.exec('DELETE FROM log WHERE seq > 8; DELETE FROM snapshots');
    expect(await plimsoll(['verify', '--store', copy])).toMatchObject({ code: 0 });
    const found = await plimsoll(['verify', '--store', copy, '--head', head, '--json']);
    expect(found.code).toBe(1);
    expect(document(found.stdout)).toMatchObject({ problem: { seq: 9, fault: 'cut' } });
  });

  it('a store in use is verified and copied, but not compacted', async () => {
    const store = await openStore(site.location);
    expect(await run('verify')).toMatchObject({ code: 0 });
    expect(await run('store', 'backup', '--out', join(folder, 'live.db'))).toMatchObject({
      code: 0,
    });
    const compacted = await run('store', 'compact', '--json');
    expect([compacted.code, document(compacted.stdout)]).toMatchObject([
      1,
      { error: { code: 'STORE_LOCKED' } },
    ]);
    await store.close();
    expect(await run('store', 'compact')).toMatchObject({ code: 0 });
  });

  it('wrong calls: 2; what is no store: 1', async () => {
    const text = join(folder, 'text');
    writeFileSync(text, '{"seq": 1, "hash": "short"}');
    expect(await plimsoll(['verify', '--store', join(folder, 'none')])).toMatchObject({ code: 2 });
    expect(await run('verify', '--head', text)).toMatchObject({ code: 2 });
    expect(await plimsoll(['verify'])).toMatchObject({ code: 2 });
    expect(await plimsoll(['store', 'nothing'])).toMatchObject({ code: 2 });
    const broken = await plimsoll(['verify', '--store', text, '--json']);
    expect([broken.code, document(broken.stdout)]).toMatchObject([
      1,
      { ok: false, problem: { fault: 'unreadable' } },
    ]);
    rmSync(text);
  });
});
