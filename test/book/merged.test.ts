/** Several sources as one: each in its order, held back by a slow reader, ended together. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { merged } from '../../src/book/desk/merged.ts';

interface Counted {
  given: number;
  ended: boolean;
}

/** Counts up until its signal comes, with a pause now and then. */
async function* counting(name: string, counted: Counted, signal: AbortSignal, most = 1e9) {
  try {
    for (let i = 0; i < most && !signal.aborted; i++) {
      if (i % 7 === name.length) await sleep(1);
      counted.given += 1;
      yield { name, i };
    }
  } finally {
    counted.ended = true;
  }
}

const two = (): [Counted, Counted] => [
  { given: 0, ended: false },
  { given: 0, ended: false },
];

it('gives what both have, each in its order, and ends both when the reader has enough', async () => {
  const [a, b] = two();
  const next = new Map([
    ['a', 0],
    ['bb', 0],
  ]);
  const end = new AbortController();
  let read = 0;
  for await (const { name, i } of merged(end.signal, [
    (signal) => counting('a', a, signal),
    (signal) => counting('bb', b, signal),
  ])) {
    expect(i).toBe(next.get(name));
    next.set(name, i + 1);
    read += 1;
    if (read === 500) break;
  }
  for (const count of next.values()) expect(count).toBeGreaterThan(100);
  await sleep(20);
  expect([a.ended, b.ended]).toEqual([true, true]);
});

it('a reader that does not read holds both back', async () => {
  const [a, b] = two();
  const end = new AbortController();
  const reading = merged(end.signal, [
    (signal) => counting('a', a, signal),
    (signal) => counting('bb', b, signal),
  ]);
  await reading.next();
  await sleep(30);
  // The one that was read may stand one further than the other.
  expect(a.given + b.given).toBeLessThanOrEqual(3);
  end.abort();
  await reading.return();
  await sleep(10);
  expect([a.ended, b.ended]).toEqual([true, true]);
});

it('ends with the first that ends, and with the signal while both wait', async () => {
  const [a, b] = two();
  const read: string[] = [];
  for await (const { name, i } of merged(new AbortController().signal, [
    (signal) => counting('a', a, signal, 3),
    async function* waiting(signal) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      b.ended = true;
      yield* [];
    },
  ]))
    read.push(`${name}${i}`);
  expect(read).toEqual(['a0', 'a1', 'a2']);
  await sleep(10);
  expect([a.ended, b.ended]).toEqual([true, true]);
  const end = new AbortController();
  const silent = merged(end.signal, [
    async function* waiting(signal) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      yield* [] as string[];
    },
  ]);
  const next = silent.next();
  end.abort();
  expect((await next).done).toBe(true);
});

it('throws what a source throws', async () => {
  const [a] = two();
  const reading = merged<unknown>(new AbortController().signal, [
    (signal) => counting('a', a, signal),
    async function* failing() {
      await sleep(5);
      yield* [];
      throw new Error('torn');
    },
  ]);
  await expect(
    (async () => {
      for await (const _ of reading) await sleep(0);
    })(),
  ).rejects.toThrow('torn');
  await sleep(10);
  expect(a.ended).toBe(true);
});
