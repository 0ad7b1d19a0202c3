/** What `var` and `margin` say where a sample cannot tell, and of a history that is too short. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  place,
  plimsoll,
  SMALL_ACCOUNT,
  SMALL_FACTORS,
  SMALL_MARKET,
  temporaryFolder,
} from './command.ts';

const folder = temporaryFolder();
const market = place(folder, 'market.json', SMALL_MARKET);
const factors = place(folder, 'factors.json', SMALL_FACTORS);
const account = place(folder, 'account.json', SMALL_ACCOUNT);
const inputs = ['-m', market, '-a', account];

/** Levels that move, and are worst on one day. */
function historyOf(name: string, days: number): string {
  const dayOf = (i: number) => new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10);
  const levels = Array.from({ length: days }, (_, i) => {
    const level = 80_000 + 41 * ((i * 7919) % 257);
    return `${dayOf(i)},${i === 40 ? level / 2 : level}`;
  });
  return place(folder, name, `date,BTC\n${levels.join('\n')}\n`);
}
const history = historyOf('closes.csv', 251);

describe('a sample of one scenario in the tail', () => {
  it('has errors that nobody knows: null, or unknown', async () => {
    const args = ['var', ...inputs, '-f', factors, '-n', '100', '-q'];
    const table = await plimsoll(args);
    expect(table.code, table.stderr).toBe(0);
    expect(table.stdout).toMatch(/value at risk\s+[\d,.]+ ± unknown/);
    expect(table.stdout).toMatch(/expected shortfall\s+[\d,.]+ ± unknown/);
    const json = await plimsoll([...args, '--json']);
    expect(JSON.parse(json.stdout).risk.standardError).toEqual({
      valueAtRisk: null,
      expectedShortfall: null,
    });
    const margin = await plimsoll(['margin', ...inputs, '-f', factors, '-n', '100', '-q']);
    expect(margin.stdout).toMatch(/portfolio\s+[\d,.]+ ± unknown/);
  });
});

describe('a history', () => {
  it('of too few rows for the confidence is refused', async () => {
    const args = ['var', ...inputs, '--method', 'historical', '-q'];
    const run = await plimsoll([...args, '--history', historyOf('short.csv', 60)]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/INSUFFICIENT_HISTORY.*59 usable rows.*0\.99 needs 100/);
  });

  it('of enough rows is shown with the dates of its worst, on the page too', async () => {
    const page = join(folder, 'historical.html');
    const args = ['var', ...inputs, '--method', 'historical', '--history', history, '-q'];
    const run = await plimsoll([...args, '--explain', '--report', page]);
    expect(run.code, run.stderr).toBe(0);
    // Half the price on the 41st day, 10 February, and twice it on the next: the account is long.
    expect(run.stdout).toMatch(/^2025-02-10\s/m);
    expect(readFileSync(page, 'utf8')).toContain('<td>2025-02-10</td>');
  });

  it('settles on a page from as many scenarios on as the confidence needs', async () => {
    const page = join(folder, 'filtered.html');
    const args = ['var', ...inputs, '--method', 'filtered-historical', '--history', history, '-q'];
    // Of 10,240 a 64th is 160; 0.995 needs 200.
    const run = await plimsoll([...args, '-c', '0.995', '-n', '10240', '--report', page]);
    expect(run.code, run.stderr).toBe(0);
    expect(readFileSync(page, 'utf8')).toContain('<td>640</td>');
  });
});

describe('a risk report', () => {
  it('asks nothing for the components and measures that it leaves out', async () => {
    const strict = place(folder, 'strict.json', {
      preset: 'clearing-listed',
      antiProcyclicality: { longRunFloor: false },
      stress: { library: { scenarios: [{ name: 'typo', underlyings: { BCT: { spot: -0.5 } } }] } },
    });
    // The stressed set of the preset would need a history, and 1,000 rows of it.
    const args = ['var', ...inputs, '-f', factors, '--methodology', strict, '-c', '0.999'];
    const run = await plimsoll([...args, '--explain', '-n', '20000', '--json', '-q']);
    expect(run.code, run.stderr).toBe(0);
    const { risk, explanation } = JSON.parse(run.stdout);
    const parts = [...explanation.positions, ...explanation.collateral];
    const sum = parts.reduce((total, { contribution }) => total + contribution, 0);
    // The same scenarios: sums of 20 of them in another order.
    expect(Math.abs(sum / risk.expectedShortfall - 1)).toBeLessThan(1e-12);
  });
});
