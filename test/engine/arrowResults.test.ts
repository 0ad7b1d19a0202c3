/** The pieces of a result stream, put together and read by apache-arrow. */
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import {
  arrowResultFooter,
  arrowResultHeader,
  arrowResults,
} from '../../src/engine/arrowResults.ts';
import type { MarginResult, RejectedAccount } from '../../src/margin/result.ts';

const HASH = `sha256:${'0'.repeat(64)}`;

function result(account: string, figure: number, ratio: number | null): MarginResult {
  return {
    account,
    mode: 'cross',
    currency: 'USD',
    asOf: '2025-12-30T17:31:15Z',
    initialMargin: figure,
    maintenanceMargin: figure * 0.8,
    equity: -figure,
    marginRatio: ratio,
    state: 'healthy',
    risk: {
      confidence: 0.99,
      horizonDays: 1,
      scenarios: 10_240,
      valueAtRisk: figure + 1,
      expectedShortfall: figure + 2,
      standardError: { valueAtRisk: ratio, expectedShortfall: figure + 3 },
      interval: { level: 0.95, valueAtRisk: [null, null] },
    },
    components: [
      { name: 'marketRisk', initial: figure + 6, maintenance: 0 },
      { name: 'openOrders', initial: figure + 7, maintenance: 0 },
    ],
    modes: {
      portfolio: { initialMargin: figure + 4, maintenanceMargin: 0 },
      isolated: { initialMargin: figure + 5, maintenanceMargin: 0 },
      capitalEfficiency: null,
    },
    heldFactors: [],
    scenarioSet: HASH,
    sideSets: HASH,
    methodology: HASH,
    market: HASH,
    engine: 'plimsoll/0.1.0',
  };
}

const refused: RejectedAccount = {
  account: 'acct-9',
  error: { code: 'UNKNOWN_INSTRUMENT', message: 'no “X-₿”', path: 'positions[3].instrument' },
};
const nameless: RejectedAccount = {
  account: null,
  error: { code: 'MALFORMED_JSON', message: 'line 2' },
};

const SUMMARY = '{"summary":{"accounts":4,"rejected":2}}';

const NULLS = {
  account: null,
  mode: null,
  currency: null,
  asOf: null,
  initialMargin: null,
  maintenanceMargin: null,
  equity: null,
  marginRatio: null,
  state: null,
  valueAtRisk: null,
  expectedShortfall: null,
  seValueAtRisk: null,
  seExpectedShortfall: null,
  scenarios: null,
  portfolioInitialMargin: null,
  isolatedInitialMargin: null,
  marketRisk: null,
  stress: null,
  dependence: null,
  liquidity: null,
  concentration: null,
  basis: null,
  shortOptionMinimum: null,
  oracle: null,
  depeg: null,
  openOrders: null,
  scenarioSet: null,
  sideSets: null,
  methodology: null,
  market: null,
  engine: null,
  errorCode: null,
  errorMessage: null,
  errorPath: null,
  summary: null,
};

function row(account: string, figure: number, ratio: number | null) {
  return {
    ...NULLS,
    account,
    mode: 'cross',
    currency: 'USD',
    asOf: '2025-12-30T17:31:15Z',
    initialMargin: figure,
    maintenanceMargin: figure * 0.8,
    equity: -figure,
    marginRatio: ratio,
    state: 'healthy',
    valueAtRisk: figure + 1,
    expectedShortfall: figure + 2,
    seValueAtRisk: ratio,
    seExpectedShortfall: figure + 3,
    scenarios: 10_240,
    portfolioInitialMargin: figure + 4,
    isolatedInitialMargin: figure + 5,
    marketRisk: figure + 6,
    openOrders: figure + 7,
    scenarioSet: HASH,
    sideSets: HASH,
    methodology: HASH,
    market: HASH,
    engine: 'plimsoll/0.1.0',
  };
}

const rowsOf = (parts: readonly Uint8Array[]) =>
  tableFromIPC(Buffer.concat(parts))
    .toArray()
    .map((item) => item.toJSON());

describe('arrowResults', () => {
  it('is a stream of a header, batches and a footer', () => {
    const parts = [
      arrowResultHeader(),
      arrowResults([result('é', 48_211.07, null), refused]),
      arrowResults([nameless, result('b', 0.1 + 0.2, 0.25)]),
      arrowResultFooter(SUMMARY),
    ];
    expect(rowsOf(parts)).toEqual([
      row('é', 48_211.07, null),
      {
        ...NULLS,
        account: 'acct-9',
        errorCode: 'UNKNOWN_INSTRUMENT',
        errorMessage: 'no “X-₿”',
        errorPath: 'positions[3].instrument',
      },
      { ...NULLS, errorCode: 'MALFORMED_JSON', errorMessage: 'line 2' },
      row('b', 0.1 + 0.2, 0.25),
      { ...NULLS, summary: SUMMARY },
    ]);
  });

  it('keeps neighbours apart whose ends would make one character', () => {
    const rows = rowsOf([
      arrowResultHeader(),
      arrowResults([result('a\ud83d', 1, 1), result('\ude00b', 2, 2)]),
      arrowResultFooter(SUMMARY),
    ]);
    expect(rows.map((item) => item.account)).toEqual(['a\ufffd', '\ufffdb', null]);
  });

  it('is a stream without results too', () => {
    expect(arrowResults([])).toHaveLength(0);
    expect(rowsOf([arrowResultHeader(), arrowResultFooter(SUMMARY)])).toEqual([
      { ...NULLS, summary: SUMMARY },
    ]);
  });

  it('keeps each piece a multiple of eight bytes, so that batches stay aligned', () => {
    const many = Array.from({ length: 13 }, (_, i) => result(`account ${i}`, i, i));
    for (const part of [arrowResultHeader(), arrowResults(many), arrowResultFooter('{}')]) {
      expect(part.length % 8).toBe(0);
    }
  });

  it('gives the same bytes for the same results', () => {
    const make = () => Buffer.from(arrowResults([result('a', 1, 2), refused]));
    expect(make().equals(make())).toBe(true);
  });
});
