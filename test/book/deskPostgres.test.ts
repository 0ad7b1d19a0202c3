/** The desk on a real PostgreSQL server: what it does on a file, and what only a server can do to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Desk } from '../../src/book/desk/desk.ts';
import { openStore } from '../../src/book/store/store.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { plimsoll } from '../cli/command.ts';
import { makeStorm } from './deskCrash.ts';
import { ACCOUNTS, DEMO, deskSite, engineOn, outrights } from './deskSupport.ts';
import { replayed, textOf } from './folded.ts';
import {
  makePostgresServer,
  type PostgresServer,
  postgresBinaries,
} from './store/postgresServer.ts';
import { postgresSite } from './store/sites.ts';

const binaries = postgresBinaries();
const title =
  binaries === null
    ? 'a desk on PostgreSQL (skipped: no server in /usr/lib/postgresql, Debian: apt-get install postgresql)'
    : 'a desk on PostgreSQL';

describe.skipIf(binaries === null)(title, () => {
  let server: PostgresServer;
  let engine: Engine;
  beforeAll(async () => {
    [server, engine] = await Promise.all([makePostgresServer(binaries!), engineOn(DEMO.market)]);
  });
  afterAll(async () => {
    await engine.close();
    await server.remove();
  });

  const [outright] = outrights(DEMO.market);
  const tickAt = (sequence: number) => {
    const asOf = new Date(Date.parse(DEMO.market.asOf) + sequence * 1_000).toISOString();
    const { id, spot } = DEMO.market.underlyings.find((one) => one.id === outright!.underlying)!;
    return { sequence, underlying: id, asOf, spot: spot * (1 + (sequence % 7) / 1_000) };
  };
  const deposit = (account: string, amount: number) => {
    return { do: 'move-collateral', account, asset: 'USD', amount, reason: 'test' };
  };
  const balance = (desk: Desk, id: string): number =>
    desk.book.accounts.get(id)!.collateral.get('USD') ?? 0;

  it('takes commands and ticks, answers keys once, and is after a restart what its log says', async () => {
    const place = await postgresSite(server);
    const site = await deskSite(engine, {}, place.location);
    expect(await site.desk.load(ACCOUNTS)).toBe(ACCOUNTS.length);
    const { id } = ACCOUNTS[0]!;
    const before = balance(site.desk, id);
    const keyed = { key: 'k-1', body: deposit(id, 500) };
    const work = Array.from({ length: 20 }, (_, i) => [
      site.desk.ticks({ source: 'feed', resume: true, ticks: [tickAt(i + 1)] }),
      site.desk.command(deposit(id, 500), keyed),
      site.desk.command({
        do: 'fill',
        account: ACCOUNTS[i % ACCOUNTS.length]!.id,
        fills: [{ id: `f-${i}`, instrument: outright!.id, size: 1, price: 90_000 + i }],
      }),
    ]);
    const answers = await Promise.all(work.map(([, command]) => command));
    await Promise.all(work.flat());
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(balance(site.desk, id)).toBe(before + 500);

    await site.desk.quiet();
    const text = textOf(site.desk.book);
    expect(textOf(await replayed(site.store)) === text).toBe(true);
    await site.restart();
    expect(await site.desk.command(deposit(id, 500), keyed)).toEqual(answers[0]);
    for (const account of ACCOUNTS) {
      const { result } = await site.desk.figures(account.id);
      expect(result).toEqual(await engine.margin(site.desk.account(account.id)));
    }
    await site.desk.quiet();
    expect(textOf(site.desk.book) === text).toBe(true);

    // Another process reads it meanwhile.
    const verified = await plimsoll(['verify', '--store', place.location, '--json']);
    expect([verified.code, JSON.parse(verified.stdout)]).toMatchObject([0, { ok: true }]);
    await site.remove();
    await place.remove();
  }, 180_000);

  it('a server that crashes under it: nothing acknowledged is lost, nothing is done twice, the desk goes on', async () => {
    // No client of the test's own: it would not survive the crash.
    const location = server.url('postgres');
    const site = await deskSite(engine, {}, location);
    await site.desk.load(ACCOUNTS);
    const total = (): number => ACCOUNTS.reduce((sum, { id }) => sum + balance(site.desk, id), 0);
    const before = total();
    let acknowledged = 0;
    const refused: string[] = [];
    const caller = async ({ id }: { readonly id: string }): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        const keyed = { key: `${id}-${i}`, body: i };
        // Refused: asked again under the same key, until it is done.
        for (;;) {
          const done = await site.desk.command(deposit(id, 1), keyed).then(
            () => null,
            (error: { readonly code: string }) => error.code,
          );
          if (done === null) break;
          refused.push(done);
          await sleep(100);
        }
        acknowledged += 1;
      }
    };
    const calling = Promise.all(ACCOUNTS.map(caller));
    await sleep(200);
    await server.stop('SIGQUIT');
    await sleep(300);
    await server.start();
    await calling;
    expect(refused.filter((code) => !code.startsWith('STORE_'))).toEqual([]);
    expect(acknowledged).toBe(100 * ACCOUNTS.length);
    // Whole dollars added to sums of cents: below 2⁴⁰ cents each, exact to 1e-4.
    expect(total()).toBeCloseTo(before + acknowledged, 3);
    await site.desk.quiet();
    expect(textOf(await replayed(site.store)) === textOf(site.desk.book)).toBe(true);
    await site.remove();
    const store = await openStore(location, { readOnly: true });
    expect(await store.verify()).toMatchObject({ ok: true });
    await store.close();
  }, 180_000);

  it('SIGKILL of the service: every acknowledged update is there', async () => {
    const place = await postgresSite(server);
    const storm = makeStorm(place.location);
    expect(await storm.round(1, 300)).toBeGreaterThanOrEqual(300);
    storm.remove();
    await place.remove();
  }, 180_000);
});
