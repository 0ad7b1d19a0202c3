/** Ctrl-C, SIGTERM and readers that go away, in the middle of the work. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  place,
  SMALL_ACCOUNT,
  SMALL_FACTORS,
  SMALL_MARKET,
  type Started,
  start,
  temporaryFolder,
} from './command.ts';

const folder = temporaryFolder();
const market = place(folder, 'market.json', SMALL_MARKET);
const factors = place(folder, 'factors.json', SMALL_FACTORS);
const model = ['margin', '-m', market, '-f', factors, '-a', '-'];
const lines = Array.from(
  { length: 3000 },
  (_, i) => `${JSON.stringify({ ...SMALL_ACCOUNT, id: `acct-${i}` })}\n`,
).join('');

/** Milliseconds from the signal to the end. */
async function stop(run: Started, signal: NodeJS.Signals): Promise<number> {
  const sent = performance.now();
  run.child.kill(signal);
  await run.ended;
  return performance.now() - sent;
}

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

describe('stopped in the middle', () => {
  it.each(SIGNALS)('%s in a batch ends with %d and leaves no file', async (signal, code) => {
    const out = join(folder, `${signal}.ndjson`);
    const run = start([...model, '--out', out]);
    // The input stays open: the batch cannot end by itself.
    run.child.stdin!.write(lines);
    const written = (): boolean =>
      readdirSync(folder).some(
        (name) => name.startsWith(signal) && statSync(join(folder, name)).size > 0,
      );
    while (!written()) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await stop(run, signal)).toBeLessThan(5000);
    const { code: got, stderr } = await run.ended;
    expect(got).toBe(code);
    expect(stderr).toMatch(new RegExp(`stopped by ${signal}`));
    expect(readdirSync(folder).filter((name) => name.startsWith(signal))).toEqual([]);
  });

  it.each(SIGNALS)('%s in the middle of a kernel ends with %d', async (signal, code) => {
    const run = start([...model, '-n', '10000000']);
    run.child.stdin!.end(lines);
    await run.saw('stderr', /scenarios\s+\d+%/);
    expect(await stop(run, signal)).toBeLessThan(5000);
    expect((await run.ended).code).toBe(code);
  });

  it('a reader that has seen enough ends it quietly', async () => {
    const run = start([...model, '--out', '-', '-q']);
    run.child.stdin!.write(lines);
    await run.saw('stdout', /acct-0/);
    run.child.stdout!.destroy();
    run.child.stdin!.write(lines);
    const { code, stderr } = await run.ended;
    expect(code).toBe(0);
    expect(stderr).toBe('');
  });
});
