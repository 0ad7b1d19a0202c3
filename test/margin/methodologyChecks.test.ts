/** Parameters of a methodology that do not fit each other are refused by name. */
import { describe, expect, it } from 'vitest';
import {
  type MethodologyInput,
  readMethodology,
  resolveMethodology,
} from '../../src/margin/methodology.ts';
import { MARKET, openStudy } from '../engine/studyMarket.ts';

const refused = (field: string) =>
  expect.objectContaining({ code: 'INVALID_FIELD', path: `methodology.${field}` });

describe('levels', () => {
  it.each([
    [{ warningLevel: 1.25, releaseLevel: 1.3 }, 'releaseLevel'],
    [{ warningLevel: 1.04 }, 'releaseLevel'],
  ])('%j are refused', (input, field) => {
    expect(() => resolveMethodology(input, false)).toThrow(refused(field));
  });

  it.each([
    { warningLevel: 1.05 },
    // Without a warning band there is nothing for a release to go beyond.
    { warningLevel: 1, releaseLevel: 1.5 },
  ])('%j are not', (input) => {
    expect(resolveMethodology(input, false)).toMatchObject(input);
  });
});

describe('rows that are replayed', () => {
  // 250 · 0.001 = 0.25 of a row in the tail; 1,000 · 0.001 = 1.
  it.each<[MethodologyInput, string]>([
    [
      { confidence: 0.999, antiProcyclicality: { stressed: true } },
      'antiProcyclicality.stressedRows',
    ],
    [{ confidence: 0.999, preset: 'clearing-listed' }, 'antiProcyclicality.stressedRows'],
    [{ confidence: 0.999, scenarioModel: 'filtered-historical' }, 'filtered.residuals'],
  ])('%j are too few', (input, field) => {
    expect(() => resolveMethodology(input, false)).toThrow(refused(field));
  });

  it('are asked for where they are used', () => {
    const enough = { stressed: true, stressedRows: 1_000 };
    const inputs: MethodologyInput[] = [
      { confidence: 0.999 },
      { confidence: 0.999, antiProcyclicality: enough },
      { confidence: 0.999, scenarioModel: 'filtered-historical', filtered: { residuals: 1_000 } },
      // EMIR's 99.5% of over-the-counter derivatives: ⌈1/0.005⌉ = 200.
      { confidence: 0.995, preset: 'clearing-listed' },
    ];
    for (const input of inputs) expect(() => resolveMethodology(input, false)).not.toThrow();
  });
});

describe('a haircut of the currency', () => {
  const open = (haircuts: Record<string, number>, currency = 'USD') =>
    openStudy({ scenarios: 100, haircuts }, { ...MARKET, currency });

  it('is refused, as it would be charged to nobody', () => {
    expect(() => open({ USD: 0.1 })).toThrow(refused('haircuts.USD'));
    expect(() => open({ USDT: 0.02 }, 'USDT')).toThrow(refused('haircuts.USDT'));
  });

  it('may be stated as none; those of a preset are of collateral on other markets', () => {
    const account = { id: 'a', collateral: [{ asset: 'USD', amount: 100 }] };
    expect(open({ USD: 0 }).margin(account).equity).toBe(100);
    const tether = { id: 'a', collateral: [{ asset: 'USDT', amount: 100 }] };
    expect(open({}, 'USDT').margin(tether).equity).toBe(100);
  });
});

describe('dynamic volatilities', () => {
  it.each([
    'historical',
    'filtered-historical',
    'jump-diffusion',
  ] as const)('are refused of %s', (scenarioModel) => {
    const input = { scenarioModel, volatilities: { estimate: 'dynamic' } } as const;
    expect(() => resolveMethodology(input, true)).toThrow(refused('volatilities.estimate'));
  });

  it.each(['gaussian', 'student-t', 't-copula'] as const)('are not of %s', (scenarioModel) => {
    const instants = ['08:00', '00:00'];
    const input: MethodologyInput = {
      scenarioModel,
      volatilities: { estimate: 'dynamic', instants },
    };
    const resolved = resolveMethodology(input, true);
    // One order: the hash is of what is meant.
    const meant = { estimate: 'dynamic', instants: ['00:00', '08:00'], lambda: 0.94 };
    expect(resolved.volatilities).toEqual(meant);
  });

  it.each([
    [{ instants: [] }, 'instants'],
    [{ instants: ['24:00'] }, 'instants[0]'],
    [{ instants: ['00:00', '00:00'] }, 'instants'],
    [{ lambda: 1 }, 'lambda'],
    [{ estimate: 'garch' }, 'estimate'],
  ])('%j are out of range', (volatilities, field) => {
    const path = `methodology.volatilities.${field}`;
    expect(() => readMethodology({ volatilities }, { prefix: 'methodology' })).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', path }),
    );
  });
});
