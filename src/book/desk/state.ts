/** What a snapshot of the store holds: the book's own form, with the market beside it, which is no part of the book. */
import { PlimsollError } from '../../errors.ts';
import { decodeText } from '../../json.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import type { Book } from '../book.ts';
import { restore, serialise } from '../snapshots.ts';
import type { MarketState } from './marketState.ts';

interface Beside {
  readonly marketSnapshot: MarketSnapshot | null;
  readonly heard: readonly (readonly [string, number])[];
}

/** The book's form with two more members, so that whoever wants the book alone reads it as it is. */
export function bytesOf(book: Book, { snapshot, heard }: MarketState): Uint8Array {
  const text = decodeText(serialise(book));
  const beside: Beside = { marketSnapshot: snapshot, heard: [...heard] };
  return new TextEncoder().encode(`${text.slice(0, -1)},${JSON.stringify(beside).slice(1)}`);
}

/** @returns null where the bytes are of another form: the log is then folded from its start */
export function restored(bytes: Uint8Array): {
  readonly book: Book;
  readonly market: MarketSnapshot | null;
  readonly heard: Beside['heard'];
} | null {
  try {
    const book = restore(bytes);
    const { marketSnapshot, heard } = JSON.parse(decodeText(bytes)) as Partial<Beside>;
    if (marketSnapshot === undefined || heard === undefined) return null;
    return { book, market: marketSnapshot, heard };
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'INVALID_RECORD') return null;
    throw error;
  }
}
