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
  /** Underlyings that it touches: they decide which historical rows count. */
  readonly underlyings: readonly number[];
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

function segmentOf(
  portfolio: Portfolio,
  part: UnderlyingPart,
  { plan }: Valuation,
): BookSegment | null {
  const { spotRow, maskRow } = plan.underlyings[part.underlying]!;
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
  if (maskRow !== -1) {
    rows.push(maskRow);
    sizes.push(1);
  }
  return { rows, sizes };
}

/** The whole account: its coins first, then its positions by id, underlying after underlying. */
export function portfolioBook(portfolio: Portfolio, valuation: Valuation): Book {
  const segments: BookSegment[] = [];
  const underlyings: number[] = [];
  for (const part of portfolio.parts) {
    const segment = segmentOf(portfolio, part, valuation);
    if (segment === null) continue;
    segments.push(segment);
    underlyings.push(part.underlying);
  }
  return { segments, underlyings };
}

/** One book per underlying. */
export function crossBooks(portfolio: Portfolio, valuation: Valuation): readonly Book[] {
  return portfolio.parts.flatMap((part) => {
    const segment = segmentOf(portfolio, part, valuation);
    return segment === null ? [] : [{ segments: [segment], underlyings: [part.underlying] }];
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
  const { spotRow, maskRow } = plan.underlyings[underlying]!;
  const rows = [spotRow, plan.rowOf[instrument]!];
  const sizes = [portfolio.unrealisedCoins[i]!, portfolio.sizes[i]!];
  if (maskRow !== -1) {
    rows.push(maskRow);
    sizes.push(1);
  }
  return { segments: [{ rows, sizes }], underlyings: [underlying] };
}
