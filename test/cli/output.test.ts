/** Figures, tables, progress and tallies, in process. */
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { joinHistories } from '../../src/cli/joinHistories.ts';
import { count, duration, money, percent, printable } from '../../src/cli/output/figures.ts';
import { tallyPieces } from '../../src/cli/output/marginPieces.ts';
import { MarginTally } from '../../src/cli/output/marginTally.ts';
import { progressMeter } from '../../src/cli/output/progress.ts';
import { pairs, table } from '../../src/cli/output/table.ts';
import {
  arrowResultFooter,
  arrowResultHeader,
  arrowResults,
} from '../../src/engine/arrowResults.ts';
import { PlimsollError } from '../../src/errors.ts';
import type { MarginResult, RejectedAccount } from '../../src/margin/result.ts';

describe('figures', () => {
  it('have separators, two decimals where they are money, and no sign on a zero', () => {
    expect([1234567, 12.6].map(count)).toEqual(['1,234,567', '13']);
    expect([48211.074, -1e6, -0, 0.00123456, 0.01].map(money)).toEqual([
      '48,211.07',
      '-1,000,000.00',
      '0.00',
      '0.001235',
      '0.01',
    ]);
    expect([percent(0.1472), percent(null), percent(0.99, 2)]).toEqual(['14.7%', 'none', '99.00%']);
    expect([0.04, 59.94, 60, 725, 3725].map(duration)).toEqual([
      '0.0 s',
      '59.9 s',
      '1:00',
      '12:05',
      '1:02:05',
    ]);
  });

  it('write out what would steer a terminal', () => {
    expect(printable('a\u001b[2Jb\n')).toBe('a\\u{1b}[2Jb\\u{a}');
    expect(table([{ title: 'id' }], [['\u0007']])).toContain('\\u{7}');
  });
});

it('a table is aligned, whatever its characters', () => {
  const text = table(
    [{ title: 'id' }, { title: 'n', align: 'right' }],
    [
      ['é€', '1'],
      ['long id', '1,000'],
    ],
  );
  expect(text).toBe('id           n\n───────  ─────\né€           1\nlong id  1,000\n');
  expect(
    pairs([
      ['a', '1'],
      ['long', '2'],
    ]),
  ).toBe('a     1\nlong  2\n');
});

describe('progress', () => {
  const record = (isTTY: boolean) => {
    const written: string[] = [];
    const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) };
    return { written, stream: stream as unknown as NodeJS.WriteStream };
  };

  it('is a bar on a terminal, never wider than it, and is taken off', async () => {
    const { written, stream } = record(true);
    const meter = progressMeter(stream, false);
    meter.update({ stage: 'accounts', done: 0, total: 10 });
    await new Promise((resolve) => setTimeout(resolve, 250));
    meter.update({ stage: 'accounts', done: 5, total: 10 });
    meter.stop();
    expect(written[1]).toMatch(/accounts\s+█{14}░{14}\s+50%/);
    for (const line of written) expect(line.length).toBeLessThan(60 + '\r\u001b[2K'.length);
    expect(written.at(-1)).toBe('\r\u001b[2K');
  });

  it('is a plain line from the first second on elsewhere, and nothing where it is not wanted', async () => {
    const { written, stream } = record(false);
    const meter = progressMeter(stream, false);
    meter.update({ stage: 'accounts', done: 1, total: 0, share: 0.25 });
    expect(written).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    meter.update({ stage: 'accounts', done: 1000, total: 0, share: 0.5 });
    meter.update({ stage: 'accounts', done: 1001, total: 0, share: 0.5 });
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^accounts {2}50% {2}1,000 {2}\d+\/s {2}ETA 1\.\d s\n$/);
    const silent = record(true);
    progressMeter(silent.stream, true).update({ stage: 'accounts', done: 1, total: 2 });
    expect(silent.written).toEqual([]);
  });
});

describe('the tally of a batch', () => {
  const result = (
    account: string,
    initialMargin: number,
    state: MarginResult['state'],
  ): MarginResult => ({
    account,
    mode: 'portfolio',
    currency: 'USD',
    asOf: '2026-01-02T08:00:00Z',
    initialMargin,
    maintenanceMargin: initialMargin / 2,
    equity: 100,
    marginRatio: null,
    state,
    risk: {
      confidence: 0.99,
      horizonDays: 1,
      scenarios: 10,
      valueAtRisk: 1,
      expectedShortfall: 1,
      standardError: { valueAtRisk: null, expectedShortfall: initialMargin / 4 },
      interval: { level: 0.95, valueAtRisk: [null, null] },
    },
    components: [],
    modes: {
      portfolio: { initialMargin, maintenanceMargin: 0 },
      isolated: { initialMargin, maintenanceMargin: 0 },
      capitalEfficiency: null,
    },
    heldFactors: [],
    scenarioSet: 'sha256:0',
    methodology: 'sha256:0',
    market: 'sha256:0',
    engine: 'plimsoll/0',
  });
  const bad: RejectedAccount = {
    account: 'd,"risk":{',
    error: { code: 'INVALID_FIELD', message: 'no ,"risk":{ here', path: 'id' },
  };
  const outcomes = [
    result('a', 8, 'healthy'),
    result('b,"risk":{', 32, 'default'),
    bad,
    result('c', 16, 'healthy'),
  ];
  const lines = outcomes.map((outcome) => JSON.stringify(outcome));
  const summary = '{"summary":{"accounts":4,"rejected":1,"digest":"sha256:0"}}';

  const check = (tally: MarginTally): void => {
    expect([tally.accounts, tally.rejected, tally.currency]).toEqual([4, 1, 'USD']);
    expect(tally.totals).toEqual({ initialMargin: 56, maintenanceMargin: 28, equity: 300 });
    expect([...tally.states]).toEqual([
      ['healthy', 2],
      ['default', 1],
    ]);
    expect(tally.rejections).toEqual([bad]);
    expect(tally.greatest).toMatchObject([
      { account: 'b,"risk":{', initialMargin: 32, standardError: 8, marginRatio: null },
      { account: 'c', initialMargin: 16, standardError: 4 },
    ]);
  };

  it('reads NDJSON and arrays', () => {
    const ndjson = new MarginTally(2);
    const take = tallyPieces(ndjson, 'ndjson');
    for (const piece of [
      `${lines[0]}\n${lines[1]}\n`,
      `${lines[2]}\n${lines[3]}\n`,
      `${summary}\n`,
    ]) {
      take(Buffer.from(piece));
    }
    check(ndjson);
    const json = new MarginTally(2);
    const takeElements = tallyPieces(json, 'json');
    for (const piece of ['[\n', `${lines.join(',\n')},\n`, `${summary}\n]\n`]) {
      takeElements(Buffer.from(piece));
    }
    check(json);
  });

  it('reads Arrow, piece by piece', () => {
    const pieces = [
      arrowResultHeader(),
      arrowResults(outcomes.slice(0, 2)),
      arrowResults([]),
      arrowResults(outcomes.slice(2)),
      arrowResultFooter(summary),
    ];
    expect(tableFromIPC(Buffer.concat(pieces)).numRows).toBe(5);
    const tally = new MarginTally(2);
    pieces.forEach(tallyPieces(tally, 'arrow'));
    check(tally);
  });
});

describe('several histories', () => {
  it('are joined by date, with gaps where one has none', () => {
    const joined = joinHistories([
      {
        dates: ['2025-01-01', '2025-01-03'],
        columns: [{ id: 'A:spot', values: Float64Array.of(1, 3) }],
      },
      {
        dates: ['2025-01-02', '2025-01-03'],
        columns: [{ id: 'A:vol', values: Float64Array.of(20, 30) }],
      },
    ]);
    expect(joined.dates).toEqual(['2025-01-01', '2025-01-02', '2025-01-03']);
    expect(joined.columns.map(({ values }) => [...values])).toEqual([
      [1, Number.NaN, 3],
      [Number.NaN, 20, 30],
    ]);
  });

  it('must not have a column in common', () => {
    const one = { dates: ['2025-01-01'], columns: [{ id: 'A:spot', values: Float64Array.of(1) }] };
    expect(() => joinHistories([one, one])).toThrow(PlimsollError);
  });
});
