/** The store under many kills and every failing write: 50 rounds of SIGKILL, and each of the first 90 writes and synchronisations. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERRORS, failingDisk, failingRound, killRound } from '../book/store/crash.ts';
import { makePostgresServer, postgresBinaries } from '../book/store/postgresServer.ts';
import { postgresSite, sqliteSite, temporaryFolder } from '../book/store/sites.ts';

const ROUNDS = 50;
const WRITES = 90;
/** Between 5 and 500 ms, spread evenly, in no order. */
const pause = (round: number): number => 5 + ((round * 197) % 496);

it('50 rounds of SIGKILL on SQLite', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const site = await sqliteSite();
    await killRound(site.location, pause(round));
    await killRound(site.location, pause(round + 1));
    await site.remove();
  }
});

it('50 rounds of SIGKILL on PostgreSQL', async (context) => {
  const binaries = postgresBinaries();
  if (binaries === null) return context.skip('no PostgreSQL server was found');
  const server = await makePostgresServer(binaries);
  const site = await postgresSite(server);
  for (let round = 0; round < ROUNDS; round++) await killRound(site.location, pause(round));
  await site.remove();
  await server.remove();
});

for (const [name, errno] of ERRORS) {
  it(`${name} at each write and synchronisation in turn`, async (context) => {
    const folder = temporaryFolder();
    const library = failingDisk(folder);
    if (library === null) return context.skip('no C compiler was found');
    let failed = 0;
    for (let count = 1; count <= WRITES; count++) {
      const location = join(folder, `${name}-${count}.db`);
      const codes = await failingRound(library, location, errno, count);
      if (codes.length > 0) failed += 1;
    }
    // A few failures are nobody's loss: of a checkpoint, which is tried again, or of a hint.
    expect(failed).toBeGreaterThan(WRITES / 2);
    rmSync(folder, { recursive: true });
  });
}
