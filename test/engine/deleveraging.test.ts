import { describe, expect, it } from 'vitest';
import {
  deleverage,
  deleveragingScore,
  rankPositions,
} from '../../src/engine/studies/deleveraging.ts';

const position = (account: string, size: number, profit: number, leverage: number) => ({
  account,
  size,
  profit,
  leverage,
});

describe('deleveraging', () => {
  it('ranks winners by profit × leverage, losers by loss over leverage', () => {
    // Reckoned by hand: 0.5·2 = 1, 0.2·10 = 2, −0.4/2 = −0.2, −0.4/8 = −0.05.
    expect(deleveragingScore(position('a', -1, 0.5, 2))).toBe(1);
    expect(deleveragingScore(position('b', -1, -0.4, 8))).toBe(-0.05);
    const ranked = rankPositions([
      position('calm', -1, 0.5, 2),
      position('keen', -1, 0.2, 10),
      position('lost', -1, -0.4, 2),
      position('worse', -1, -0.4, 8),
      position('also', -1, 0.5, 2),
    ]);
    expect(ranked.map(({ account }) => account)).toEqual(['keen', 'also', 'calm', 'worse', 'lost']);
  });

  it('takes opposing positions in their order, and their part of the loss', () => {
    const { taken, uncovered } = deleverage(10, 1_000, [
      position('second', -4, 0.1, 5),
      position('same side', 50, 9, 9),
      position('first', -3, 0.2, 5),
      position('last', -8, 0, 5),
    ]);
    expect(taken).toEqual([
      { account: 'first', score: 1, size: 3, loss: 300 },
      { account: 'second', score: 0.5, size: 4, loss: 400 },
      { account: 'last', score: 0, size: 3, loss: 300 },
    ]);
    expect(uncovered).toBe(0);
  });

  it('says what nobody bears', () => {
    const short = deleverage(-8, 400, [position('only', 2, 1, 1)]);
    expect(short).toEqual({
      taken: [{ account: 'only', score: 1, size: -2, loss: 100 }],
      uncovered: 300,
    });
    expect(deleverage(-8, 400, [])).toEqual({ taken: [], uncovered: 400 });
  });
});
