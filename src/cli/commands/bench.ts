/** `plimsoll bench`: hands over to the benchmarks, in a process of their own: nothing of ours is then part of what they measure. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PlimsollError } from '../../errors.ts';
import { EXIT } from '../exitCodes.ts';
import type { Lifetime } from '../lifetime.ts';

const PROGRAM = fileURLToPath(new URL('../../../bench/main.js', import.meta.url));

export async function runBench(argv: readonly string[], lifetime: Lifetime): Promise<number> {
  if (!existsSync(PROGRAM)) {
    throw new PlimsollError('USAGE', `this installation has no benchmarks: no ${PROGRAM}`);
  }
  const child = spawn(process.execPath, [PROGRAM, ...argv], { stdio: 'inherit' });
  const forget = lifetime.onEarlyEnd(() => child.kill());
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? EXIT.failure));
    });
  } finally {
    forget();
  }
}
