/**
 * Which sums of positions a tail is taken of. A portfolio has one book; cross margin one per underlying; isolated margin one per
 * position, most of which need no sum of their own: a position's ES is |size| times that of one contract.
 */
import type { Portfolio, UnderlyingPart, Valuation } from './portfolio.ts';

/** Rows of one underlying with their sizes, in the order in which they are summed. */
export interface BookSegment {
  readonly rows: readonly number[];
  readonly sizes: readonly number[];
}

export interface Book {
  readonly segments: readonly BookSegment[];
  /** Underlyings that it touches. */
  readonly underlyings: readonly number[];
  /** Mask rows among its rows: they decide which historical rows count. */
  readonly masks: readonly number[];
}

/**
 * Each position by itself: its ES is |sizes[i]| times that of one unit of the cube row rows[i], long where the size is positive. Where
 * unrealised coins do not reduce to one row, `books` has the sum instead.
 */
export interface IsolatedExposures {
  readonly rows: Int32Array;
  readonly sizes: Float64Array;
  /** By position. */
  readonly books: ReadonlyMap<number, Book>;
}

/** A segment with the mask rows that its rows need, at its end. */
function masked(rows: number[], sizes: number[], masks: readonly number[]): BookSegment {
  for (const mask of masks) {
    rows.push(mask);
    sizes.push(1);
  }
  return { rows, sizes };
}

interface Part {
  readonly segment: BookSegment;
  readonly masks: readonly number[];
}

const NO_MASKS: readonly number[] = [];

function partOf(portfolio: Portfolio, part: UnderlyingPart, { plan }: Valuation): Part | null {
  const { spotRow, spotMasks, masks } = plan.underlyings[part.underlying]!;
  const rows: number[] = [];
  const sizes: number[] = [];
  if (part.coins !== 0) {
    rows.push(spotRow);
    sizes.push(part.coins);
  }
  for (let i = part.start; i < part.end; i++) {
    rows.push(plan.rowOf[portfolio.instruments[i]!]!);
    sizes.push(portfolio.sizes[i]!);
  }
  if (rows.length === 0) return null;
  if (masks.length === 0) return { segment: { rows, sizes }, masks: NO_MASKS };
  const needed = new Set(part.coins === 0 ? NO_MASKS : spotMasks);
  for (let i = part.start; i < part.end; i++) {
    for (const mask of plan.masksOf[portfolio.instruments[i]!]!) needed.add(mask);
  }
  const own = masks.map(({ row }) => row).filter((row) => needed.has(row));
  return { segment: masked(rows, sizes, own), masks: own };
}

/** The whole account: its coins first, then its positions by id, underlying after underlying. */
export function portfolioBook(portfolio: Portfolio, valuation: Valuation): Book {
  const segments: BookSegment[] = [];
  const underlyings: number[] = [];
  const masks: number[] = [];
  for (const part of portfolio.parts) {
    const found = partOf(portfolio, part, valuation);
    if (found === null) continue;
    segments.push(found.segment);
    underlyings.push(part.underlying);
    masks.push(...found.masks);
  }
  return { segments, underlyings, masks };
}

/** One book per underlying. */
export function crossBooks(portfolio: Portfolio, valuation: Valuation): readonly Book[] {
  return portfolio.parts.flatMap((part) => {
    const found = partOf(portfolio, part, valuation);
    if (found === null) return [];
    return [{ segments: [found.segment], underlyings: [part.underlying], masks: found.masks }];
  });
}

const NO_BOOKS: ReadonlyMap<number, Book> = new Map();

export function isolatedExposures(portfolio: Portfolio, valuation: Valuation): IsolatedExposures {
  const { instruments, unrealisedCoins } = portfolio;
  const { market, plan } = valuation;
  const n = instruments.length;
  const rows = new Int32Array(n);
  const sizes = new Float64Array(n);
  let books: Map<number, Book> | null = null;
  for (let i = 0; i < n; i++) {
    const instrument = instruments[i]!;
    rows[i] = plan.rowOf[instrument]!;
    sizes[i] = portfolio.sizes[i]!;
    const coins = unrealisedCoins[i]!;
    if (coins === 0) continue;
    const delta = plan.linearDeltas[instrument]!;
    if (Number.isNaN(delta)) {
      books ??= new Map();
      books.set(i, positionBook(portfolio, i, valuation));
    } else {
      rows[i] = plan.underlyings[market.instruments[instrument]!.underlying]!.spotRow;
      sizes[i] = portfolio.sizes[i]! * delta + coins;
    }
  }
  return { rows, sizes, books: books ?? NO_BOOKS };
}

/** One position and its unrealised coins. */
function positionBook(portfolio: Portfolio, i: number, { market, plan }: Valuation): Book {
  const instrument = portfolio.instruments[i]!;
  const { underlying } = market.instruments[instrument]!;
  const { spotRow } = plan.underlyings[underlying]!;
  // Whatever moves the position, its spot factor does too: its masks cover those of the coins.
  const masks = plan.masksOf[instrument]!;
  const rows = [spotRow, plan.rowOf[instrument]!];
  const sizes = [portfolio.unrealisedCoins[i]!, portfolio.sizes[i]!];
  return { segments: [masked(rows, sizes, masks)], underlyings: [underlying], masks };
}

/** One contract, long (side 1) or short (−1). */
export function unitBook(
  row: number,
  side: number,
  underlying: number,
  masks: readonly number[],
): Book {
  return { segments: [masked([row], [side], masks)], underlyings: [underlying], masks };
}
