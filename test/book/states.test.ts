/** Margin states with hysteresis, and calls: METHODOLOGY section 5 "States", by hand and as laws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assess, type CallSettings, overdueCalls } from '../../src/book/calls.ts';
import { nextState, type Standing, standingsOf } from '../../src/book/states.ts';
import type { Methodology } from '../../src/margin/methodology.ts';
import { ACCOUNT_STATES, type AccountState, accountState } from '../../src/margin/requirement.ts';
import type { MarginResult } from '../../src/margin/result.ts';
import { LoggedBook, refusal, START } from './markets.ts';

const LEVELS: CallSettings = { warningLevel: 1.25, releaseLevel: 1.05 };

/** IM 100, MM 80: bands below 0, 80, 100 and 125; they are left at 0, 84, 105 and 131.25. */
const at = (equity: number): Standing => ({
  equity,
  initialRequirement: 100,
  maintenanceRequirement: 80,
});
const next = (held: AccountState, equity: number) => nextState(held, [at(equity)], LEVELS);
const rank = (state: AccountState): number => ACCOUNT_STATES.indexOf(state);

describe('hysteresis', () => {
  it.each<[AccountState, number, AccountState]>([
    ['healthy', 125, 'healthy'],
    ['healthy', 124.99, 'warning'],
    ['warning', 131.24, 'warning'],
    ['warning', 131.25, 'healthy'],
    ['warning', 99.99, 'margin-call'],
    ['margin-call', 100, 'margin-call'],
    ['margin-call', 104.99, 'margin-call'],
    ['margin-call', 105, 'warning'],
    ['margin-call', 131.24, 'warning'],
    ['margin-call', 131.25, 'healthy'],
    ['margin-call', 79.99, 'liquidation'],
    ['liquidation', 83.99, 'liquidation'],
    ['liquidation', 84, 'margin-call'],
    ['liquidation', 104.99, 'margin-call'],
    ['liquidation', 110, 'warning'],
    ['liquidation', -0.01, 'default'],
    ['default', -0.01, 'default'],
    ['default', 0, 'liquidation'],
    ['default', 500, 'healthy'],
    ['healthy', -1, 'default'],
  ])('%s at equity %d is %s', (held, equity, state) => {
    expect(next(held, equity)).toBe(state);
  });

  it('an account that needs nothing is healthy, whatever it was', () => {
    const nothing = { equity: 0, initialRequirement: 0, maintenanceRequirement: 0 };
    for (const held of ACCOUNT_STATES) expect(nextState(held, [nothing], LEVELS)).toBe('healthy');
  });

  it('the worst position of an isolated account counts, in and out', () => {
    expect(nextState('healthy', [at(500), at(90), at(200)], LEVELS)).toBe('margin-call');
    expect(nextState('margin-call', [at(500), at(104)], LEVELS)).toBe('margin-call');
    expect(nextState('margin-call', [at(500), at(106)], LEVELS)).toBe('warning');
  });

  it('laws: never better than the band, never worse than both; steps end where a jump does', () => {
    const held = fc.constantFrom(...ACCOUNT_STATES);
    const equity = fc.double({ min: -50, max: 200, noNaN: true });
    const property = fc.property(held, equity, equity, (start, from, to) => {
      const band = accountState(to, at(to), LEVELS as Methodology);
      const jumped = next(start, to);
      expect(rank(jumped)).toBeGreaterThanOrEqual(rank(band));
      expect(rank(jumped)).toBeLessThanOrEqual(Math.max(rank(band), rank(start)));
      // Nothing is left to do at the same equity.
      expect(next(jumped, to)).toBe(jumped);
      // Upwards from `from` in fine steps, or at once: the bands are passed in the same order.
      const low = Math.min(from, to);
      const settled = next(start, low);
      let stepped = settled;
      for (let i = 1; i <= 40; i++) stepped = next(stepped, low + ((to - low) * i) / 40);
      if (to >= low) expect(next(stepped, to)).toBe(next(settled, to));
    });
    fc.assert(property, { numRuns: 1_000, seed: 11 });
  });

  it('figures that are no numbers are no figures', () => {
    const { book } = called();
    const account = book.accounts.get('a')!;
    const standings = [{ ...at(1), equity: Number.NaN }];
    expect(refusal(() => assess(account, standings, LEVELS, START))).toBe('INTERNAL');
    expect(refusal(() => assess(account, [], LEVELS, START))).toBe('INTERNAL');
  });

  it('reads a margin result: after credit, isolated positions by themselves', () => {
    const figures = { equity: 90, initialMargin: 100, maintenanceMargin: 80 };
    const result = { ...figures, mode: 'portfolio' } as MarginResult;
    expect(standingsOf(result, 30)).toEqual([
      { equity: 90, initialRequirement: 70, maintenanceRequirement: 50 },
    ]);
    const isolated = { ...figures, mode: 'isolated', positions: [{ ...figures, equity: 40 }] };
    expect(standingsOf(isolated as unknown as MarginResult, 30)).toEqual([at(90), at(40)]);
  });
});

function called(): LoggedBook {
  const kept = new LoggedBook();
  kept.open('a');
  return kept;
}

/** Equity is what it is `minutes` after the start: what happens, and what is held then. */
function step(kept: LoggedBook, equity: number, minutes: number, more: Partial<CallSettings> = {}) {
  const now = new Date(Date.parse(START) + minutes * 60_000).toISOString();
  kept.context = { ...kept.context, now };
  const account = kept.book.accounts.get('a')!;
  const events = assess(account, [at(equity)], { ...LEVELS, ...more }, now);
  kept.append(events);
  return events.map(({ kind }) => kind);
}

const held = (kept: LoggedBook) => kept.book.accounts.get('a')!;

describe('calls', () => {
  it('opens with amount and deadline, is acknowledged, resolved past the release level', () => {
    const kept = called();
    expect(step(kept, 130, 0)).toEqual([]);
    expect(step(kept, 94, 1)).toEqual(['state-changed', 'call-opened']);
    expect(held(kept).call).toEqual({
      call: 1,
      // 1.05 × 100 − 94, and the cent that makes sure of it.
      amount: 11.01,
      openedAt: '2026-01-02T08:01:00.000Z',
      deadline: '2026-01-02T09:01:00.000Z',
      acknowledged: null,
    });
    kept.run({ do: 'acknowledge-call', account: 'a', call: 1, by: 'risk desk' });
    expect(held(kept).call!.acknowledged).toEqual({
      at: '2026-01-02T08:01:00.000Z',
      by: 'risk desk',
    });
    expect(kept.run({ do: 'acknowledge-call', account: 'a', call: 1, by: 'again' })).toEqual([]);
    expect(step(kept, 104, 2)).toEqual([]);
    expect(step(kept, 105, 3)).toEqual(['call-resolved', 'state-changed']);
    expect(held(kept)).toMatchObject({ heldState: 'warning', call: null, calls: 1 });
    expect(step(kept, 99, 4)).toEqual(['state-changed', 'call-opened']);
    expect(held(kept).call!.call).toBe(2);
  });

  it('expires into a liquidation that ends past the release level of the initial requirement', () => {
    const kept = called();
    step(kept, 94, 0, { callMinutes: 15 });
    expect(overdueCalls(kept.book, '2026-01-02T08:14:59.999Z')).toEqual([]);
    expect(step(kept, 94, 14)).toEqual([]);
    expect(overdueCalls(kept.book, '2026-01-02T08:15:00.000Z')).toEqual(['a']);
    const expiry = ['call-expired', 'state-changed', 'liquidation-started'];
    expect(step(kept, 94, 15)).toEqual(expiry);
    expect(held(kept)).toMatchObject({
      heldState: 'liquidation',
      call: null,
      liquidation: { liquidation: 1, cause: 'call-expired' },
    });
    expect(step(kept, 104, 16)).toEqual([]);
    expect(held(kept).heldState).toBe('liquidation');
    expect(step(kept, 105, 17)).toEqual(['state-changed', 'liquidation-ended']);
    expect(held(kept)).toMatchObject({ heldState: 'warning', liquidation: null });
  });

  it('a call that is met in time does not expire, also when it is seen late', () => {
    const kept = called();
    step(kept, 94, 0);
    expect(step(kept, 106, 61)).toEqual(['call-resolved', 'state-changed']);
  });

  it('below maintenance liquidates at once; back above it an account is called', () => {
    const kept = called();
    expect(step(kept, 70, 0)).toEqual(['state-changed', 'liquidation-started']);
    expect(step(kept, -5, 1)).toEqual(['state-changed']);
    expect(step(kept, 83, 2)).toEqual(['state-changed']);
    const released = ['state-changed', 'liquidation-ended', 'call-opened'];
    expect(step(kept, 90, 3)).toEqual(released);
    expect(held(kept).call!.amount).toBe(15.01);
  });

  it('between the level and its release nothing is lacking, so nothing is called', () => {
    const kept = called();
    step(kept, 70, 0);
    expect(step(kept, 102, 1)).toEqual(['state-changed', 'liquidation-ended']);
    expect(held(kept)).toMatchObject({ heldState: 'margin-call', call: null });
    expect(step(kept, 98, 2)).toEqual(['call-opened']);
  });

  it('a deadline that passes during a liquidation makes it cure the call', () => {
    const kept = called();
    step(kept, 94, 0);
    expect(step(kept, 70, 1)).toEqual(['state-changed', 'liquidation-started']);
    expect(step(kept, 90, 61)).toEqual(['call-expired']);
    expect(held(kept)).toMatchObject({
      heldState: 'liquidation',
      liquidation: { cause: 'call-expired' },
    });
    expect(step(kept, 104, 62)).toEqual([]);
    expect(step(kept, 200, 63)).toEqual(['state-changed', 'liquidation-ended']);
  });

  it('the time to answer has bounds', () => {
    for (const callMinutes of [0, -1, Number.NaN, 1e9]) {
      expect(refusal(() => step(called(), 94, 0, { callMinutes }))).toBe(
        'INVALID_FIELD callMinutes',
      );
    }
  });
});
