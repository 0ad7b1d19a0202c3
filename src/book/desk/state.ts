/** What a snapshot of the store holds: the lines of the book, and one of the market beside it, which is no part of the book. */
import { PlimsollError } from '../../errors.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import type { Book } from '../book.ts';
import { BookLines, bookFrom, linesIn } from '../snapshots.ts';
import type { FactorForm } from './factorState.ts';
import type { MarketState } from './marketState.ts';

interface Beside {
  readonly marketSnapshot: MarketSnapshot | null;
  readonly heard: readonly (readonly [string, number])[];
  /** Null where the log names no factor model. */
  readonly factors: FactorForm | null;
}

/** The state as it is when this is made, written down while it goes on changing. */
export interface StateLines {
  /** To be told of every account before it changes. */
  readonly book: BookLines;
  lines(): Iterable<string>;
}

/** The book's lines come first, so that whoever wants the book alone reads it as it is. */
export function stateLines(book: Book, market: MarketState): StateLines {
  const written = new BookLines(book);
  const { snapshot, heard, factors } = market;
  const beside: Beside = { marketSnapshot: snapshot, heard: [...heard], factors: factors.form };
  return {
    book: written,
    *lines() {
      yield* written;
      yield JSON.stringify(beside);
    },
  };
}

/** @returns null where the bytes are of another form: the log is then folded from its start */
export function restored(bytes: Uint8Array): {
  readonly book: Book;
  readonly market: MarketSnapshot | null;
  readonly heard: Beside['heard'];
  readonly factors: FactorForm | null;
} | null {
  try {
    const lines = linesIn(bytes);
    const book = bookFrom(lines);
    const beside = lines.next().value;
    if (typeof beside !== 'string') return null;
    const { marketSnapshot: market, heard, factors } = JSON.parse(beside) as Beside;
    return { book, market, heard, factors };
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'INVALID_RECORD') return null;
    throw error;
  }
}
