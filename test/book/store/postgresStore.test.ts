/** The same store in a real PostgreSQL server, and what only a server can do: go away in the middle of a commit. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/book/store/store.ts';
import { allOf, codeOf, describeConformance } from './conformance.ts';
import { makePostgresServer, type PostgresServer, postgresBinaries } from './postgresServer.ts';
import { postgresSite } from './sites.ts';
import { describeTampering } from './tampering.ts';

const binaries = postgresBinaries();

if (binaries === null) {
  it('needs a PostgreSQL server', (context) => {
    context.skip('no server was found in /usr/lib/postgresql (Debian: apt-get install postgresql)');
  });
} else {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await makePostgresServer(binaries);
  });
  afterAll(() => server.remove());

  const make = () => postgresSite(server);
  describeConformance('PostgreSQL', make);
  describeTampering('PostgreSQL', make);

  describe('a PostgreSQL server that goes away', () => {
    const load = (store: Awaited<ReturnType<typeof openStore>>, callers: number, calls: number) =>
      Promise.all(
        Array.from({ length: callers }, async (_, caller) => {
          for (let i = 0; i < calls; i++) {
            await store.append([
              { kind: 'first', body: { caller, i }, key: `${caller}-${i}` },
              { kind: 'second', body: { caller, i } },
            ]);
          }
        }),
      );

    /** Every call once, whole, and the chain intact. */
    async function mustHoldAll(location: string, callers: number, calls: number): Promise<void> {
      const store = await openStore(location);
      const records = await allOf(store);
      expect(records.length).toBe(2 * callers * calls);
      expect(new Set(records.map(({ key }) => key)).size).toBe(callers * calls + 1);
      records.forEach(({ kind, body }, i) => {
        if (kind === 'first') expect(records[i + 1]).toMatchObject({ kind: 'second', body });
      });
      expect(await store.verify()).toMatchObject({ ok: true });
      await store.close();
    }

    it('connections cut at random: every append is answered, and is there once', async () => {
      const site = await make();
      const store = await openStore(site.location);
      const killer = new pg.Client({ connectionString: site.location });
      await killer.connect();
      let over = false;
      const cutting = (async () => {
        for (let i = 0; !over; i++) {
          await new Promise((resolve) => setTimeout(resolve, 5 + ((i * 37) % 50)));
          await killer.query(`SELECT pg_terminate_backend(pid) FROM pg_locks
            WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
        }
      })();
      await load(store, 4, 100);
      over = true;
      await cutting;
      await killer.end();
      await store.close();
      await mustHoldAll(site.location, 4, 100);
      await site.remove();
    });

    it('a server that crashes and comes back: nothing acknowledged is lost', async () => {
      // No client of the test's own: it would not survive the crash.
      const location = server.url('postgres');
      const store = await openStore(location);
      const loading = load(store, 4, 500);
      await new Promise((resolve) => setTimeout(resolve, 150));
      await server.stop('SIGQUIT');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await server.start();
      await loading;
      await store.close();
      await mustHoldAll(location, 4, 500);
    });

    it('no server: a typed error, and no password in it', async () => {
      const gone = 'postgres://book:secret@127.0.0.1:1/book';
      const error = await openStore(gone).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'STORE_FAILED' });
      expect((error as Error).message).not.toContain('secret');
      const site = await make();
      expect(await codeOf(openStore(site.location, { readOnly: true }))).toBe('NOT_FOUND');
      await site.remove();
    });
  });
}
