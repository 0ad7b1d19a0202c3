/** What waits between a source and its reader. */
import { expect, it } from 'vitest';
import type { TickProblem } from '../../src/feeds/feed.ts';
import { type Letter, Mailbox } from '../../src/feeds/mailbox.ts';

const at = '2026-01-02T08:00:00Z';
const problem = (message: string): TickProblem => ({ kind: 'gap', source: 'x', message, at });
const overrun = (ticks: number, problems: number): TickProblem => ({
  ...problem(`${ticks} ${problems}`),
  kind: 'overrun',
});
const tick = (underlying: string, spot: number): Letter => ({
  tick: { underlying, asOf: at, spot },
  receivedMs: spot,
});

it('hands over what waits, then waits itself, then ends', async () => {
  const box = new Mailbox(10, overrun);
  box.post(tick('A', 1));
  box.post(tick('A', 2));
  expect(await box.take()).toEqual([tick('A', 1), tick('A', 2)]);
  const next = box.take();
  box.post(tick('A', 3));
  expect(await next).toEqual([tick('A', 3)]);
  const last = box.take();
  box.close();
  expect(await last).toBeNull();
  box.post(tick('A', 4));
  expect(await box.take()).toBeNull();
});

it('gives what waits before the failure that it was closed with', async () => {
  const box = new Mailbox(10, overrun);
  box.post(tick('A', 1));
  box.close(new Error('gone'));
  expect(await box.take()).toHaveLength(1);
  await expect(box.take()).rejects.toThrow('gone');
});

it('holds no more than its bound, whatever comes: the last of each underlying, the first problems', async () => {
  const box = new Mailbox(10, overrun);
  for (let i = 1; i <= 1000; i++) {
    box.post(tick(i % 2 === 0 ? 'A' : 'B', i));
    box.post({ problem: problem(`${i}`) });
  }
  const letters = (await box.take())!;
  const ticks = letters.flatMap((letter) => ('tick' in letter ? [letter.tick.spot] : []));
  const problems = letters.flatMap((letter) => ('problem' in letter ? [letter.problem] : []));
  // Ten at most, and word of the rest before them.
  expect(letters.length).toBeLessThanOrEqual(11);
  expect(ticks.slice(-2).sort()).toEqual([1000, 999]);
  // Every tick and every problem is here or counted.
  const counted = `${1000 - ticks.length} ${1000 - (problems.length - 1)}`;
  expect(problems[0]).toEqual({ ...problem(counted), kind: 'overrun' });
  expect(problems[1]).toEqual(problem('1'));
  box.post(tick('A', 1001));
  expect(await box.take()).toEqual([tick('A', 1001)]);
});
