/**
 * Maps a stream through concurrent work and yields the results in the order of the inputs, each as soon as it and those before it are
 * there. At most `window` are under way: a consumer that stops pulling stops the producer, so memory does not grow with the stream.
 */
export async function* mapOrdered<T, R>(
  source: AsyncIterable<T>,
  window: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const inputs = source[Symbol.asyncIterator]();
  const pending: Promise<R>[] = [];
  let next: Promise<IteratorResult<T>> | null = inputs.next();
  try {
    while (next !== null || pending.length > 0) {
      const [oldest] = pending;
      const full = pending.length >= window;
      const item: IteratorResult<T> | null =
        next === null || full
          ? null
          : oldest === undefined
            ? await next
            : await first(next, oldest);
      if (item === null) {
        yield await pending.shift()!;
      } else if (item.done === true) {
        next = null;
      } else {
        const promise = work(item.value);
        // A failure is met when its turn comes; until then it must not count as unhandled.
        promise.catch(() => {});
        pending.push(promise);
        next = inputs.next();
      }
    }
  } finally {
    // Not awaited: a source that is itself waiting (for a client that went silent) would hold up the end.
    next?.catch(() => {});
    inputs.return?.()?.catch(() => {});
    await Promise.allSettled(pending);
  }
}

/** The next input, or null when the oldest result is there before it. */
function first<T, R>(
  next: Promise<IteratorResult<T>>,
  oldest: Promise<R>,
): Promise<IteratorResult<T> | null> {
  const settled = (): null => null;
  return Promise.race([next, oldest.then(settled, settled)]);
}
