/** kill -9, a full disk, a disk that turns read-only, writes and synchronisations that fail: what was acknowledged stays. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  APPENDER,
  ERRORS,
  failingDisk,
  failingRound,
  killRound,
  listen,
  mustHold,
  type Said,
} from './crash.ts';
import { makePostgresServer, postgresBinaries } from './postgresServer.ts';
import { privateShell } from './privateShell.ts';
import { postgresSite, sqliteSite, temporaryFolder } from './sites.ts';

const NODE = process.execPath;

describe('SIGKILL in the middle of a storm of appends', () => {
  it('SQLite: every acknowledged record is there, none is half', async () => {
    const site = await sqliteSite();
    for (const milliseconds of [40, 150, 260]) {
      expect(await killRound(site.location, milliseconds)).toBeGreaterThan(0);
    }
    await site.remove();
  });

  it('PostgreSQL likewise', async (context) => {
    const binaries = postgresBinaries();
    if (binaries === null) return context.skip('no PostgreSQL server was found');
    const server = await makePostgresServer(binaries);
    const site = await postgresSite(server);
    for (const milliseconds of [60, 200]) {
      expect(await killRound(site.location, milliseconds)).toBeGreaterThan(0);
    }
    await site.remove();
    await server.remove();
  });
});

const PRIVATE = privateShell();

describe('disks', () => {
  let folder = '';
  beforeAll(() => {
    folder = temporaryFolder();
    mkdirSync(join(folder, 'disk'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const inShell = (script: string): Promise<Said> => {
    const [command, ...flags] = PRIVATE!;
    const mount = `mount -t tmpfs -o size=3m plimsoll '${folder}/disk'`;
    const text = `set -e; ${mount}; cd '${folder}/disk'; ${script}`;
    return listen(spawn(command!, [...flags, 'sh', '-c', text]));
  };

  it('a full disk refuses, keeps what was acknowledged, and goes on when there is room', async (context) => {
    if (PRIVATE === null) return context.skip('this user cannot mount');
    const said = await inShell(`head -c 1200000 /dev/zero > ballast
      '${NODE}' '${APPENDER}' fill book.db ballast
      cp book.db* ..`);
    expect(said.stderr).toBe('');
    expect(said.others).toEqual([
      { code: 'STORE_FULL', message: expect.stringContaining('full') as string },
      { failure: 'STORE_FULL' },
      { code: 'STORE_FULL', message: expect.any(String) as string },
      { read: 1 },
      { failure: null },
      'closed',
    ]);
    // Full at about half of the rest: SQLite keeps its log beside the file.
    expect(said.acknowledged.length).toBeGreaterThan(20);
    await mustHold(join(folder, 'book.db'), said);
  });

  it('a read-only disk is refused to a writer, and read', async (context) => {
    if (PRIVATE === null) return context.skip('this user cannot mount');
    const said = await inShell(`'${NODE}' '${APPENDER}' sequence book.db
      rm -f book.db-wal book.db-shm
      mount -o remount,ro '${folder}/disk'
      '${NODE}' '${APPENDER}' open book.db`);
    expect([said.stderr, said.others]).toEqual([
      '',
      [
        'closed',
        { code: 'STORE_READ_ONLY', message: expect.any(String) as string },
        { ok: true, records: 12 },
      ],
    ]);
  });
});

describe('a disk that fails', () => {
  let folder = '';
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  // Every write and synchronisation, one after the other: test/long/storeCrash.test.ts.
  for (const [name, errno] of ERRORS) {
    it(`${name} at some write or synchronisation: a typed error, no record lost or half`, async (context) => {
      const library = failingDisk(folder);
      if (library === null) return context.skip('no C compiler was found');
      const failures = await Promise.all(
        [2, 34, 50].map((count) =>
          failingRound(library, join(folder, `${name}-${count}.db`), errno, count),
        ),
      );
      expect(failures.every((codes) => codes.length > 0)).toBe(true);
    });
  }
});
