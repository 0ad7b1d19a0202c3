/** The other commands: var, calibrate, market, demo. */
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

/** Levels of a made-up asset, and of its implied volatility in percent: any numbers that move will do. */
const DAYS = 251;
const LEVELS = Array.from({ length: DAYS }, (_, i) => 80_000 + 41 * ((i * 7919) % 257));
const IMPLIED = Array.from({ length: DAYS }, (_, i) => 40 + ((i * 31) % 23));
const dayOf = (i: number): string => new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10);
const history = place(
  folder,
  'closes.csv',
  `date,BTC\n${LEVELS.map((level, i) => `${dayOf(i)},${level}`).join('\n')}\n`,
);
const implied = place(
  folder,
  'dvol.csv',
  `date,currency,dvol_close\n${IMPLIED.map((level, i) => `${dayOf(i)},BTC,${level}`).join('\n')}\n`,
);
const IMPLIED_OPTIONS = [
  '--implied-history',
  implied,
  '--implied-unit',
  'percent',
  '--implied-value',
  'dvol_close',
];

describe('plimsoll var', () => {
  it('replays a history to the very figures that sorting gives', async () => {
    const args = ['var', '-m', market, '-a', account, '--method', 'historical', '--json', '-q'];
    const run = await plimsoll([...args, '--history', history, '-c', '0.98']);
    expect(run.code, run.stderr).toBe(0);
    const report = JSON.parse(run.stdout) as {
      risk: { valueAtRisk: number; expectedShortfall: number; scenarios: number };
    };
    // Two contracts of 90,000 each, replayed: 250 losses, 5 of them the tail, so VaR is the fifth worst and ES the mean of five.
    const losses = LEVELS.slice(1).map((level, i) => -2 * 90_000 * (level / LEVELS[i]! - 1));
    const worst = losses.sort((a, b) => b - a).slice(0, 5);
    const shortfall = worst.reduce((sum, loss) => sum + loss, 0) / 5;
    expect(report.risk.scenarios).toBe(250);
    // ln and exp of the way there and back: a few 2.2e-16 of the price, over a loss of some 10% of it.
    expect(Math.abs(report.risk.valueAtRisk / worst[4]! - 1)).toBeLessThan(1e-13);
    expect(Math.abs(report.risk.expectedShortfall / shortfall - 1)).toBeLessThan(1e-13);
  });

  it('shows a table, and writes a page that stands by itself', async () => {
    const page = join(folder, 'risk.html');
    const named = place(folder, 'named.json', { ...SMALL_ACCOUNT, id: '<b>&"one"' });
    const args = ['var', '-m', market, '-f', factors, '-a', named, '-n', '20000', '--explain'];
    const run = await plimsoll([...args, '--report', page, '-q']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/value at risk\s+[\d,.]+ ± [\d,.]+/);
    expect(run.stdout).toMatch(/Losses are positive/);
    expect(run.stdout).toMatch(/gaussian, 20,000 scenarios/);
    const html = readFileSync(page, 'utf8');
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain('&lt;b&gt;&amp;&quot;one&quot;');
    expect(html).not.toContain('<b>');
    expect(html).not.toMatch(/(?:src|href)=/);
    expect(html.match(/<svg/g)).toHaveLength(2);
  });

  it('takes one account out of many, and the scenarios that the methodology states', async () => {
    const many = [1, 2, 3].map((i) => JSON.stringify({ ...SMALL_ACCOUNT, id: `acct-${i}` }));
    const methodology = place(folder, 'method.json', { scenarios: 4096, confidence: 0.95 });
    const args = ['var', '-m', market, '-f', factors, '-a', '-', '--id', 'acct-2', '--json', '-q'];
    const run = await plimsoll([...args, '--methodology', methodology], many.join('\n'));
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      account: 'acct-2',
      risk: { scenarios: 4096, confidence: 0.95 },
    });
  });
});

describe('plimsoll calibrate', () => {
  it('fits the volatility that the formula gives, joins two files, and writes what margin reads', async () => {
    const out = join(folder, 'fitted.json');
    const args = ['calibrate', '--history', history, ...IMPLIED_OPTIONS, '--lambda', '0.97'];
    const run = await plimsoll([...args, '--out', out, '--json']);
    expect(run.code, run.stderr).toBe(0);
    const { model, report } = JSON.parse(run.stdout) as {
      model: { factors: { id: string; volatility: number }[] };
      report: { usableRows: number; periodsPerYear: number };
    };
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(model);
    expect(model.factors.map(({ id }) => id)).toEqual(['BTC:spot', 'BTC:vol']);
    expect(report).toMatchObject({ usableRows: DAYS - 1, periodsPerYear: 365 });
    // Summation of 250 terms in another order: 250 · 2.2e-16, doubled.
    expect(Math.abs(model.factors[0]!.volatility / ewma(LEVELS, 0.97) - 1)).toBeLessThan(1e-13);
    expect(Math.abs(model.factors[1]!.volatility / ewma(IMPLIED, 0.97) - 1)).toBeLessThan(1e-13);
    const margin = await plimsoll([
      'margin',
      '-m',
      market,
      '-f',
      out,
      '-a',
      account,
      '--json',
      '-q',
    ]);
    expect(margin.code, margin.stderr).toBe(0);
  });

  it('prints volatilities, correlations, assumptions and problems', async () => {
    const run = await plimsoll(['calibrate', '--history', history]);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/BTC:spot\s+\d+\.\d\d%/);
    expect(run.stdout).toMatch(/BTC:vol was not measured/);
    expect(run.stdout).toMatch(/positive semi-definite/);
    expect(run.stderr).toMatch(/nothing was written/);
  });
});

/** √(365 Σ λ^i x² / Σ λ^i), i counted back from the last log change x. */
function ewma(levels: readonly number[], lambda: number): number {
  let [sum, weights] = [0, 0];
  for (let i = 1; i < levels.length; i++) {
    const change = Math.log(levels[i]! / levels[i - 1]!);
    const weight = lambda ** (levels.length - 1 - i);
    sum += weight * change * change;
    weights += weight;
  }
  return Math.sqrt((365 * sum) / weights);
}

describe('plimsoll market and demo', () => {
  it('says what a market holds and writes it so that it reads the same', async () => {
    const out = join(folder, 'copy.json');
    const run = await plimsoll(['market', '-m', market, '--out', out]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/BTC\s+90,000\.00\s+1\s+1\s+2\s+0/);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(SMALL_MARKET);
  });

  it('makes the same bytes twice, other bytes from another seed, and an exchange that can be margined', async () => {
    const make = async (name: string, ...more: string[]): Promise<string[]> => {
      const out = join(folder, name);
      const size = ['--accounts', '300', '--underlyings', '2'];
      const run = await plimsoll(['demo', '--out', out, ...size, '--json', '-q', ...more]);
      expect(run.code, run.stderr).toBe(0);
      const { files } = JSON.parse(run.stdout) as { files: Record<string, string> };
      return ['market', 'factors', 'accounts'].map((file) => readFileSync(files[file]!, 'utf8'));
    };
    const first = await make('first');
    expect(await make('second')).toEqual(first);
    expect((await make('third', '--seed', 'other'))[2]).not.toBe(first[2]);
    expect(first[2]!.trim().split('\n')).toHaveLength(300);
    const [m, f, a] = ['market.json', 'factors.json', 'accounts.ndjson'].map((name) =>
      join(folder, 'first', name),
    );
    const run = await plimsoll(['margin', '-m', m!, '-f', f!, '-a', a!, '-q', '-n', '1024']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/accounts\s+300, of which rejected 0/);
  });

  it('makes accounts for a market of the caller, with factors implied by it', async () => {
    const out = join(folder, 'own');
    const run = await plimsoll(['demo', '-m', market, '--out', out, '--accounts', '5', '-q']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/factors implied by the market/);
    const accounts = readFileSync(join(out, 'accounts.ndjson'), 'utf8').trim().split('\n');
    const names = new Set<string>(SMALL_MARKET.instruments.map(({ id }) => id));
    for (const line of accounts) {
      const { positions } = JSON.parse(line) as { positions: { instrument: string }[] };
      for (const { instrument } of positions) expect(names).toContain(instrument);
    }
  });
});
