/** `explain`, and `var --explain`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/engine/studies/explainSchema.ts';
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
const positions = [
  { instrument: 'BTC-LINEAR', size: 2 },
  { instrument: 'BTC-27MAR26-90000-P', size: 3 },
];
const account = place(folder, 'account.json', { ...SMALL_ACCOUNT, positions });
const files = ['-m', market, '-f', factors, '-a', account, '-n', '2000', '-w', '1', '-q'];

const sum = (items: readonly { readonly contribution: number }[]): number =>
  items.reduce((total, { contribution }) => total + contribution, 0);

describe('plimsoll explain', () => {
  it('answers as the library does, with what a change would make of it', async () => {
    const change = place(folder, 'change.json', {
      fills: [{ instrument: 'BTC-LINEAR', size: -2 }],
    });
    const run = await plimsoll(['explain', ...files, '--json', '--worst', '3', '--change', change]);
    expect(run.code, run.stderr).toBe(0);
    const explanation = JSON.parse(run.stdout) as Explanation;
    const { expectedShortfall } = explanation.margin.risk;
    expect(Math.abs(sum(explanation.positions) / expectedShortfall - 1)).toBeLessThan(1e-12);
    expect(explanation.worst).toHaveLength(3);
    expect(explanation.difference!.positions[1]).toMatchObject({
      instrument: 'BTC-LINEAR',
      size: { before: 2, after: 0 },
      contribution: { after: 0 },
    });
  });

  it('shows tables for people', async () => {
    const other = place(folder, 'other.json', SMALL_ACCOUNT);
    const run = await plimsoll(['explain', ...files, '--other', other]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/initial margin\s+[\d,.]+/);
    expect(run.stdout).toMatch(/marketRisk: expected shortfall at 0\.99/);
    expect(run.stdout).toMatch(/Parts of the expected shortfall, from the 20 worst scenarios/);
    expect(run.stdout).toMatch(/BTC-27MAR26-90000-P\s+3\s+-?[\d,.]+/);
    expect(run.stdout).toMatch(/2026-03-27T08:00:00Z/);
    expect(run.stdout).toMatch(/passage of time/);
    expect(run.stdout).toMatch(/BTC:spot → [\d,.]+/);
    expect(run.stdout).toMatch(/delta-normal\s+VaR [\d,.]+/);
    expect(run.stdout).toMatch(/Compared with one: \S+ → \S+/);
  });

  it('says where a wrong call or file is wrong', async () => {
    const broken = place(folder, 'broken.json', { fills: [{ instrument: 'X' }] });
    const run = await plimsoll(['explain', ...files, '--change', broken]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('change.fills[0].size');
    const both = await plimsoll(['explain', ...files, '--change', broken, '--other', account]);
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('not both');
  });
});

describe('plimsoll var --explain', () => {
  it('adds the parts of the ES that it reports: by position, expiry, underlying and factor', async () => {
    const page = join(folder, 'risk.html');
    const args = ['var', ...files, '--explain', '--json', '--report', page];
    const run = await plimsoll(args);
    expect(run.code, run.stderr).toBe(0);
    const { risk, explanation } = JSON.parse(run.stdout) as {
      risk: { expectedShortfall: number };
      explanation: Explanation;
    };
    const es = risk.expectedShortfall;
    // The same scenarios, streamed and kept: the sums differ by the rounding of two positions.
    expect(Math.abs(sum(explanation.positions) / es - 1)).toBeLessThan(1e-12);
    expect(Math.abs(sum(explanation.expiries) / es - 1)).toBeLessThan(1e-12);
    expect(Math.abs(sum(explanation.underlyings) / es - 1)).toBeLessThan(1e-12);
    expect(explanation.factors.types.map(({ type }) => type)).toEqual(['spot', 'vol']);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('by position');
    expect(html).toContain('passage of time');
    const table = await plimsoll(['var', ...files, '--explain', '--top', '1']);
    expect(table.stdout).toMatch(/… and 1 more/);
    expect(table.stdout).toMatch(/factor type/);
    const plain = await plimsoll(['var', ...files]);
    expect(plain.stdout).not.toMatch(/factor type/);
  });
});
