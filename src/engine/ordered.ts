/**
 * Maps a stream through concurrent work and yields the results in the order of the inputs, each as soon as it and those before it are
 * there. At most `window` are under way: a consumer that stops pulling stops the producer, so memory does not grow with the stream. When
 * the source fails, the results of what it gave before are yielded first.
 */
export async function* mapOrdered<T, R>(
  source: AsyncIterable<T>,
  window: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const inputs = source[Symbol.asyncIterator]();
  const pending: Promise<R>[] = [];
  let next: Promise<Pulled<T>> | null = pull(inputs);
  let failure: { readonly error: unknown } | null = null;
  try {
    while (next !== null || pending.length > 0) {
      const [oldest] = pending;
      const full = pending.length >= window;
      const pulled: Pulled<T> | null =
        next === null || full
          ? null
          : oldest === undefined
            ? await next
            : await first(next, oldest);
      if (pulled === null) {
        yield await pending.shift()!;
      } else if ('error' in pulled) {
        failure = pulled;
        next = null;
      } else if (pulled.result.done === true) {
        next = null;
      } else {
        const promise = work(pulled.result.value);
        // A failure is met when its turn comes; until then it must not count as unhandled.
        promise.catch(() => {});
        pending.push(promise);
        next = pull(inputs);
      }
    }
    if (failure !== null) throw failure.error;
  } finally {
    // Not awaited: a source that is itself waiting (for a client that went silent) would hold up the end.
    inputs.return?.()?.catch(() => {});
    await Promise.allSettled(pending);
  }
}

type Pulled<T> = { readonly result: IteratorResult<T> } | { readonly error: unknown };

/** The next input, its failure as a value: the consumer may be elsewhere when it comes. */
function pull<T>(inputs: AsyncIterator<T>): Promise<Pulled<T>> {
  return inputs.next().then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
}

/** The next input, or null when the oldest result is there before it. */
function first<T, R>(next: Promise<Pulled<T>>, oldest: Promise<R>): Promise<Pulled<T> | null> {
  const settled = (): null => null;
  return Promise.race([next, oldest.then(settled, settled)]);
}
