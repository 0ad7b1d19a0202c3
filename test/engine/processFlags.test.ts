/** Flags of the process that starts an engine, as a program has them: in a process of its own, on the build. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../dist/src/index.js', import.meta.url));

const program = `
  const { createEngine } = await import(process.argv[1]);
  const market = { asOf: '2026-01-01T00:00:00Z', currency: 'USD', underlyings: [{ id: 'BTC', spot: 100 }],
    instruments: [{ id: 'P', type: 'perpetual', underlying: 'BTC', settlement: 'linear', multiplier: 1 }] };
  const factors = { asOf: market.asOf, periodsPerYear: 365, factors: [{ id: 'BTC:spot', volatility: 0.5 }], correlation: [[1]] };
  const engine = await createEngine({ market, factors, methodology: { preset: 'market-risk', scenarios: 1024 }, workers: 1 });
  const { state } = await engine.margin({ id: 'a', positions: [{ instrument: 'P', size: 1 }] });
  await engine.close();
  process.stdout.write(state);
`;

describe('an engine', () => {
  // A Worker takes Node's own flags, and refuses V8's, which hold for it as they are.
  for (const flags of [
    [],
    ['--max-old-space-size=512'],
    ['--enable-source-maps', '--stack-size=900'],
  ]) {
    it(`works under node ${flags.join(' ')}`, async () => {
      const args = [...flags, '--input-type=module', '--eval', program, main];
      const { stdout } = await run(process.execPath, args);
      expect(['healthy', 'warning', 'margin-call', 'liquidation', 'default']).toContain(stdout);
    }, 60_000);
  }
});
