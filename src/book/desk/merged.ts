/** Several sources as one, for a reader that takes from whichever has something. */

/** Ends when the signal comes, if not before. */
export type Source<T> = (signal: AbortSignal) => AsyncIterable<T>;

interface Offer<T> {
  readonly value: T;
  readonly taken: () => void;
}

/**
 * Gives what each source has, in its own order; a source goes on only when its last value was taken, so that a slow reader holds all of them
 * back. Ends with the signal or the first source that ends, and then ends the others. @throws what a source throws
 */
export async function* merged<T>(
  signal: AbortSignal,
  sources: readonly Source<T>[],
): AsyncGenerator<T, void, undefined> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  let wake = (): void => {};
  let offers: Offer<T>[] = [];
  const pump = async (source: Source<T>): Promise<void> => {
    for await (const value of source(ending.signal)) {
      if (ending.signal.aborted) return;
      await new Promise<void>((taken) => {
        offers.push({ value, taken });
        wake();
      });
    }
  };
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  let done = false;
  const first = Promise.race(sources.map(pump)).finally(() => {
    done = true;
    wake();
  });
  // Whoever reads meets it below.
  first.catch(() => {});
  try {
    while (!done) {
      const [offer, ...rest] = offers;
      if (offer !== undefined) {
        offers = rest;
        try {
          yield offer.value;
        } finally {
          offer.taken();
        }
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (done || offers.length > 0) resolve();
      });
    }
    await first;
  } finally {
    signal.removeEventListener('abort', end);
    end();
    for (const { taken } of offers) taken();
  }
}
