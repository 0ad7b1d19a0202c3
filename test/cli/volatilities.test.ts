/** Dynamic volatilities from the command line: a book that is served, stopped, started again and replayed; a simulation. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SimulationReport } from '../../src/book/simulation/report.ts';
import type { Replayed } from '../../src/cli/commands/replay.ts';
import {
  place,
  plimsoll,
  SMALL_FACTORS,
  SMALL_MARKET,
  type Started,
  start,
  temporaryFolder,
} from './command.ts';

const folder = temporaryFolder();
const factors = place(folder, 'factors.json', SMALL_FACTORS);
const market = place(folder, 'market.json', SMALL_MARKET);
const methodology = place(folder, 'methodology.json', {
  scenarios: 512,
  volatilities: { estimate: 'dynamic', lambda: 0.9 },
});
const store = join(folder, 'book.db');
const method = ['--methodology', methodology];

interface Served extends Started {
  readonly address: string;
}

async function serve(): Promise<Served> {
  const model = ['-m', market, '-f', factors, ...method];
  const run = start(['serve', ...model, '--store', store, '--port', '0', '--json', '-q']);
  const { address } = JSON.parse(await run.saw('stdout', /\}\n$/)) as { address: string };
  return { ...run, address };
}

async function send<T>(
  { address }: Served,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await fetch(`${address}${path}`, { method, headers, ...json });
  expect(answer.status).toBeLessThan(300);
  return (await answer.json()) as T;
}

async function stop({ child, ended }: Served): Promise<void> {
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
}

interface Factors {
  readonly hash: string;
  readonly scenarioSet: string;
  readonly model: { readonly factors: readonly { readonly volatility: number }[] };
}

describe('a served book', () => {
  it('follows its ticks, is after a restart where it was, and is replayed from its log alone', async () => {
    const service = await serve();
    const first = await send<Factors>(service, 'GET', '/v1/factors');
    await send(service, 'PUT', '/v1/accounts/one', {
      id: 'one',
      collateral: [{ asset: 'USD', amount: 50_000 }],
    });
    const fill = { id: 'f1', instrument: 'BTC-LINEAR', size: 2, price: 90_000 };
    await send(service, 'POST', '/v1/accounts/one/fills', { fills: [fill] });
    const before = await send<{ margin: object }>(service, 'GET', '/v1/accounts/one/margin');
    const hours: readonly [string, number][] = [
      ['2026-01-02T20:00:00Z', 90_000],
      ['2026-01-03T20:00:00Z', 96_000],
      ['2026-01-04T01:00:00Z', 95_000],
    ];
    for (const [i, [asOf, spot]] of hours.entries()) {
      const ticks = [{ sequence: i + 1, underlying: 'BTC', asOf, spot }];
      await send(service, 'PATCH', '/v1/market', { source: 'feed', ticks });
    }
    const after = await send<{ margin: object }>(service, 'GET', '/v1/accounts/one/margin');
    const last = await send<Factors>(service, 'GET', '/v1/factors');
    expect(last.scenarioSet).not.toBe(first.scenarioSet);
    // σ² ← 0.9σ² + 0.1 · 365 · ln(96/90)², σ = 0.5.
    const variance = 0.9 * 0.25 + 0.1 * 365 * Math.log(96 / 90) ** 2;
    expect(last.model.factors[0]!.volatility).toBeCloseTo(Math.sqrt(variance), 12);
    await stop(service);

    const again = await serve();
    expect(await send<Factors>(again, 'GET', '/v1/factors')).toEqual(last);
    await stop(again);

    const verified = await plimsoll(['verify', '--store', store, '--json']);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });
    // No --factors: the log has the models.
    const run = ['replay', '--store', store, ...method, '--account', 'one', '--json', '-q'];
    const { stdout, stderr } = await plimsoll(run);
    const replayed = JSON.parse(stdout || stderr) as Replayed;
    expect(replayed.published).toMatchObject({ matches: true, differs: [] });
    expect(replayed.margin).toEqual(after.margin);
    expect(replayed.margin).not.toEqual(before.margin);
  });

  it('without a store says that nothing follows', async () => {
    const model = ['-m', market, '-f', factors, ...method];
    const run = start(['serve', ...model, '--port', '0', '--json', '-q']);
    await run.saw('stdout', /\}\n$/);
    await run.saw('stderr', /volatilities are dynamic in a book/);
    run.child.kill('SIGTERM');
    expect((await run.ended).code).toBe(0);
  });
});

it('a simulation says how often they changed', async () => {
  const size = [
    '-a',
    '5',
    '--positions',
    '3',
    '--underlyings',
    '2',
    '--days',
    '3',
    '--step',
    '480',
  ];
  const { code, stdout } = await plimsoll(['simulate', ...size, ...method, '--json', '-q']);
  expect(code).toBe(0);
  // From 08:00 in steps of eight hours: three midnights.
  expect((JSON.parse(stdout) as SimulationReport).volatilityUpdates).toBe(3);
});
