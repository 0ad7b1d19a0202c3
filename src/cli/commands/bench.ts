/** `plimsoll bench`: hands over to the benchmarks, which are a program of their own. */
import { PlimsollError } from '../../errors.ts';
import { EXIT } from '../exitCodes.ts';

interface Benchmarks {
  main(argv: readonly string[]): Promise<number | undefined>;
}

export async function runBench(argv: readonly string[]): Promise<number> {
  // Not a static import: an installation may come without them.
  const url = new URL('../../../bench/main.js', import.meta.url).href;
  let benchmarks: Benchmarks;
  try {
    benchmarks = (await import(url)) as Benchmarks;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new PlimsollError('USAGE', 'this installation has no benchmarks', { path: 'bench' });
  }
  return (await benchmarks.main(argv)) ?? EXIT.ok;
}
