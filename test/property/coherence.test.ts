/** What any book must obey on one scenario set (Artzner, Delbaen, Eber and Heath 1999): homogeneity, translation, subadditivity, and their kin. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  between,
  books,
  collaterals,
  grossShortfall,
  marginAll,
  opened,
  type Position,
  shortfallOf,
} from './books.ts';

/** DESIGN, "coherent by construction": to rounding, which is bounded by 1e-12 of Σ|ES_i|. */
const ROUNDING = 1e-12;
const shortfalls = opened({ preset: 'market-risk', scenarios: 2_000 });
const full = opened({ scenarios: 2_000 });
const run = (numRuns: number) => ({ numRuns, seed: 20_260_105 });

const scaled = (positions: readonly Position[], k: number): readonly Position[] =>
  positions.map((position) => ({ ...position, size: k * position.size }));

describe('homogeneity: k times the book, k times the figure', () => {
  it('to the bit for powers of 2, and of every component that is no price of size', () => {
    fc.assert(
      fc.property(
        books(full, { entries: true }),
        fc.integer({ min: -12, max: 12 }),
        (positions, power) => {
          const k = 2 ** power;
          const [one, many] = marginAll(full, [
            { id: 'a', positions },
            { id: 'b', positions: scaled(positions, k) },
          ]);
          expect(many!.risk.expectedShortfall).toBe(k * one!.risk.expectedShortfall);
          expect(many!.risk.valueAtRisk).toBe(k * one!.risk.valueAtRisk);
          expect(many!.equity).toBe(k * one!.equity);
          for (const { name, initial } of one!.components) {
            // Closing costs grow faster than what is closed.
            if (name === 'liquidity' || name === 'concentration') continue;
            const grown = many!.components.find((line) => line.name === name)!;
            expect(grown.initial, name).toBe(k * initial);
          }
        },
      ),
      run(150),
    );
  });

  it('to rounding for any factor', () => {
    const factor = between(1e-3, 1e4);
    fc.assert(
      fc.property(books(shortfalls, { entries: true }), factor, (positions, k) => {
        const [one, many] = marginAll(shortfalls, [
          { id: 'a', positions },
          { id: 'b', positions: scaled(positions, k) },
        ]);
        const gross = grossShortfall(shortfalls, positions);
        const error = Math.abs(shortfallOf(many!) - k * shortfallOf(one!));
        expect(error).toBeLessThanOrEqual(ROUNDING * k * gross);
      }),
      run(150),
    );
  });
});

describe('translation: money is no risk', () => {
  it('moves equity by itself, and no figure of risk or requirement', () => {
    const money = between(-1e7, 1e7);
    fc.assert(
      fc.property(
        books(full, { entries: true }),
        collaterals(full),
        money,
        (positions, coins, amount) => {
          const [before, after] = marginAll(full, [
            { id: 'a', mode: 'cross', positions, collateral: coins },
            { id: 'a', mode: 'cross', positions, collateral: [...coins, { asset: 'USD', amount }] },
          ]);
          expect({ ...after!, equity: 0, marginRatio: 0, state: '' }).toEqual({
            ...before!,
            equity: 0,
            marginRatio: 0,
            state: '',
          });
          // Equity is a sum of at most 16 terms of at most 1e8.
          expect(Math.abs(after!.equity - before!.equity - amount)).toBeLessThan(1e-7);
        },
      ),
      run(100),
    );
  });
});

describe('subadditivity: a merger creates no risk', () => {
  it('ES of two books together is at most the sum of theirs', () => {
    fc.assert(
      fc.property(books(shortfalls), books(shortfalls), (a, b) => {
        const sizes = new Map<string, number>();
        for (const { instrument, size } of [...a, ...b]) {
          sizes.set(instrument, (sizes.get(instrument) ?? 0) + size);
        }
        const both = [...sizes]
          .filter(([, size]) => size !== 0)
          .map(([instrument, size]) => ({ instrument, size }));
        const [first, second, merged] = marginAll(
          shortfalls,
          [a, b, both].map((positions, i) => ({ id: `${i}`, positions })),
        ).map(shortfallOf);
        const gross = grossShortfall(shortfalls, [...a, ...b]);
        expect(merged!).toBeLessThanOrEqual(first! + second! + ROUNDING * gross);
      }),
      run(200),
    );
  });

  it('a book and its opposite: both cannot be without risk', () => {
    fc.assert(
      fc.property(books(shortfalls), (positions) => {
        const [long, short] = marginAll(shortfalls, [
          { id: 'a', positions },
          { id: 'b', positions: scaled(positions, -1) },
        ]).map(shortfallOf);
        const gross = grossShortfall(shortfalls, positions);
        expect(long! + short!).toBeGreaterThanOrEqual(-ROUNDING * gross);
      }),
      run(100),
    );
  });

  it('portfolio ≤ cross ≤ isolated, collateral left out', () => {
    fc.assert(
      fc.property(books(shortfalls, { most: 14, entries: true }), (positions) => {
        const [{ modes }] = marginAll(shortfalls, [{ id: 'a', mode: 'cross', positions }]) as [
          ReturnType<typeof marginAll>[number],
        ];
        const slack = ROUNDING * grossShortfall(shortfalls, positions);
        const { portfolio, cross, isolated } = modes;
        expect(portfolio.initialMargin).toBeLessThanOrEqual(cross!.initialMargin + slack);
        expect(cross!.initialMargin).toBeLessThanOrEqual(isolated.initialMargin + slack);
        for (const { initialMargin, maintenanceMargin } of [portfolio, cross!, isolated]) {
          expect(maintenanceMargin).toBeLessThanOrEqual(initialMargin);
        }
      }),
      run(200),
    );
  });
});

describe('the requirement is its parts', () => {
  it('each component is at least 0, and IM and MM are their sums', () => {
    const mode = fc.constantFrom('portfolio', 'cross', 'isolated');
    fc.assert(
      fc.property(
        books(full, { entries: true }),
        collaterals(full),
        mode,
        (held, collateral, mode) => {
          const positions = held.map((position) => ({ ...position, allocated: 1_000 }));
          const [result] = marginAll(full, [{ id: 'a', mode, positions, collateral }]);
          const { components, initialMargin, maintenanceMargin } = result!;
          for (const { name, initial } of components) {
            expect(initial, name).toBeGreaterThanOrEqual(0);
          }
          const sum = (of: 'initial' | 'maintenance') =>
            components.reduce((total, line) => total + line[of], 0);
          expect(Math.abs(sum('initial') - initialMargin)).toBeLessThanOrEqual(
            1e-12 * initialMargin,
          );
          const error = Math.abs(sum('maintenance') - maintenanceMargin);
          expect(error).toBeLessThanOrEqual(1e-12 * initialMargin);
        },
      ),
      run(100),
    );
  });
});
