/** All suites in the order of the table, and their running. */
import type { Context, Suite } from './context.ts';
import { http } from './http.ts';
import type { Line } from './line.ts';
import { accounts } from './suites/accounts.ts';
import { black76 } from './suites/black76.ts';
import { book } from './suites/book.ts';
import { endToEnd } from './suites/endToEnd.ts';
import { maths } from './suites/maths.ts';
import { method } from './suites/method.ts';
import { models } from './suites/models.ts';
import { random } from './suites/random.ts';
import { scaling } from './suites/scaling.ts';
import { store } from './suites/store.ts';
import { studies } from './suites/studies.ts';
import { surface } from './suites/surface.ts';
import { tail } from './suites/tail.ts';

export const SUITES: readonly Suite[] = [
  random,
  models,
  maths,
  black76,
  surface,
  tail,
  accounts,
  method,
  studies,
  endToEnd,
  scaling,
  store,
  book,
  http,
];

export async function runSuites(
  names: readonly string[],
  context: Context,
  onSuite: (suite: Suite) => void = () => {},
): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (const suite of SUITES) {
    if (names.length > 0 && !names.includes(suite.name)) continue;
    onSuite(suite);
    const measured = await suite.run(context);
    // Small parameters meet no target and miss none.
    lines.push(...measured.map((line) => (context.quick ? { ...line, targets: [] } : line)));
  }
  return lines;
}
