/**
 * The real chains through the commands and the service: accounts and factors by `plimsoll demo`, a store by `plimsoll serve`, ticks by `plimsoll
 * feed --patch` into PATCH, orders and fills beside them, the third snapshot by PUT; then the figures of every account are those that `plimsoll
 * margin` gives on the third file, and `verify` and `replay` agree with what was published.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHAIN_FILES, chainTitle, expired, realChains, Traders } from '../book/chains.ts';
import { place, plimsoll, readAnswer, temporaryFolder } from '../cli/command.ts';
import { Client, serve } from '../cli/service.ts';
import { testData } from '../data.ts';

const ACCOUNTS = 1_000;
const COMMANDS = 300;
const REPLAYED = 3;

describe.skipIf(testData === null)(chainTitle('real chains'), () => {
  it(`${ACCOUNTS} accounts from the first to the third by command and HTTP`, async () => {
    const folder = temporaryFolder();
    const done = async (args: readonly string[], input?: string): Promise<string> => {
      const run = await plimsoll([...args, '-q'], input);
      expect(run.code, run.stderr).toBe(0);
      return run.stdout;
    };
    const [first, second, third] = CHAIN_FILES as [string, string, string];
    await done(['demo', '-m', first, '--accounts', String(ACCOUNTS), '--out', folder]);
    const factors = join(folder, 'factors.json');
    const accounts = join(folder, 'accounts.ndjson');
    const store = ['--store', join(folder, 'book.db')];
    const args = ['-m', first, '-f', factors, ...store];
    let service = await serve([...args, '--accounts', accounts]);
    const client = new Client(service.address, 8);
    const ids = readFileSync(accounts, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly id: string });
    const traders = new Traders(ids, 'service');
    const [, snapshot, last] = await realChains();

    const bodies = await done(['feed', '--from', `snapshots:${[first, second, third]}`, '--patch']);
    for (const [i, line] of bodies.trim().split('\n').entries()) {
      const market = i < 2 ? snapshot! : last!;
      const commands = Array.from({ length: COMMANDS }, () => traders.next(market));
      const answers = commands.map((command) => client.send(...requestOf(command)));
      expect((await client.send('PATCH', '/v1/market', JSON.parse(line))).status).toBe(200);
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(statuses.filter((status) => status >= 500)).toEqual([]);
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(COMMANDS / 2);
    }
    for (const one of expired(snapshot!, last!)) {
      expect((await client.send('POST', '/v1/settlements', one)).status).toBe(200);
    }
    // Killed and started again, on the book and the market that the log has.
    await service.stop('SIGKILL');
    client.close();
    service = await serve(args);
    const again = new Client(service.address, 8);
    const exported = JSON.parse(await done(['market', '-m', third, '--json'])) as unknown;
    expect((await again.send('PUT', '/v1/market', exported)).status).toBe(200);

    const served: string[] = [];
    const booked: string[] = [];
    for (const { id } of ids) {
      const { body } = await again.send('GET', `/v1/accounts/${id}/margin`);
      served.push(JSON.stringify(body.margin));
      const { body: account } = await again.send('GET', `/v1/accounts/${id}`);
      booked.push(JSON.stringify(account.account));
    }
    again.close();
    expect((await service.stop('SIGTERM')).code).toBe(0);

    const from = place(folder, 'booked.ndjson', booked.join('\n'));
    const batch = readAnswer(
      await done(['margin', '-m', third, '-f', factors, '-a', from, '--json']),
    );
    expect(batch.summary).toMatchObject({ accounts: ACCOUNTS, rejected: 0 });
    expect(batch.lines.filter((line, i) => line !== served[i])).toEqual([]);

    expect(JSON.parse(await done(['verify', ...store, '--json']))).toMatchObject({ ok: true });
    for (const { id } of ids.slice(0, REPLAYED)) {
      const text = await done(['replay', ...store, '--account', id, '-f', factors, '--json']);
      const replayed = JSON.parse(text) as { margin: unknown; published: { matches: boolean } };
      expect(replayed.published.matches).toBe(true);
      expect(served).toContain(JSON.stringify(replayed.margin));
    }
    rmSync(folder, { recursive: true });
  });
});

const PATHS: Readonly<Record<string, string>> = {
  'cancel-orders': 'orders/cancel',
  'move-collateral': 'collateral',
  'place-orders': 'orders',
  fill: 'fills',
};

function requestOf(command: Record<string, unknown>): [string, string, unknown] {
  const { do: name, account, ...body } = command;
  return ['POST', `/v1/accounts/${account as string}/${PATHS[name as string]}`, body];
}
