/** Every character of a small log changed in turn, every record removed, swapped, doubled, every tail cut, on both databases. */
import { afterAll, beforeAll, describe } from 'vitest';
import { describeEveryByte } from '../book/store/everyByte.ts';
import {
  makePostgresServer,
  type PostgresServer,
  postgresBinaries,
} from '../book/store/postgresServer.ts';
import { postgresSite, sqliteSite } from '../book/store/sites.ts';

const binaries = postgresBinaries();

describeEveryByte('SQLite', sqliteSite);

describe.skipIf(binaries === null)(
  binaries === null ? 'PostgreSQL (skipped: no server in /usr/lib/postgresql)' : 'PostgreSQL',
  () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await makePostgresServer(binaries!);
    });
    afterAll(() => server.remove());
    describeEveryByte('PostgreSQL', () => postgresSite(server));
  },
);
