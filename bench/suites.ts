/** All suites in the order of the table, and their running. */
import type { Context, Suite } from './context.ts';
import type { Line } from './line.ts';
import { accounts } from './suites/accounts.ts';
import { black76 } from './suites/black76.ts';
import { maths } from './suites/maths.ts';
import { random } from './suites/random.ts';
import { tail } from './suites/tail.ts';

export const SUITES: readonly Suite[] = [random, maths, black76, tail, accounts];

export async function runSuites(
  names: readonly string[],
  context: Context,
  onSuite: (suite: Suite) => void = () => {},
): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (const suite of SUITES) {
    if (names.length > 0 && !names.includes(suite.name)) continue;
    onSuite(suite);
    lines.push(...(await suite.run(context)));
  }
  return lines;
}
