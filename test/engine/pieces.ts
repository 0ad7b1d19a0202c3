/** Streams of bytes for tests: a whole input cut into pieces. */
import fc from 'fast-check';

export async function* piecesOf(
  bytes: Uint8Array,
  ...cuts: readonly number[]
): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(start, cut);
    start = cut;
  }
}

/** In pieces of `size` bytes each. */
export function equalPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const cuts = Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => (i + 1) * size);
  return piecesOf(bytes, ...cuts);
}

/** Up to twelve places to cut an input of `length` bytes at. */
export const cutsOf = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: length }), { maxLength: 12 });

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
