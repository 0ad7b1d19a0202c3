/**
 * Maps a stream through concurrent work and yields the results in the order of the inputs. At most `window` are under way: a consumer that
 * stops pulling stops the producer, so memory does not grow with the stream.
 */
export async function* mapOrdered<T, R>(
  source: AsyncIterable<T>,
  window: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const promise = work(item);
      // A failure is met when its turn comes; until then it must not count as unhandled.
      promise.catch(() => {});
      pending.push(promise);
      if (pending.length >= window) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}
