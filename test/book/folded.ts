/** A book as the log alone makes it. */
import { type Book, emptyBook } from '../../src/book/book.ts';
import { fold } from '../../src/book/fold.ts';
import { serialise } from '../../src/book/snapshots.ts';
import type { Store } from '../../src/book/store/store.ts';

/** A replay of the whole log. */
export async function replayed(store: Store): Promise<Book> {
  const book = emptyBook();
  for await (const page of store.pages()) for (const record of page) fold(book, record);
  return book;
}

/** All that a book is, as text: equal texts, equal books. */
export const textOf = (book: Book): string => new TextDecoder().decode(serialise(book));
