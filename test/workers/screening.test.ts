import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookMemory, viewsOf } from '../../src/engine/bookMemory.ts';
import { tailMeasures, tailRanks } from '../../src/risk/tail.ts';
import { openKernels } from '../kernels.ts';
import { type PlainSegment, plainTail, portfolioPnl, worst } from '../reference/portfolio.ts';

const MEBI = 1024 * 1024;

/** A small deterministic source of doubles in [−1, 1). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function scene(
  scenarios: number,
  rows: number,
  blockSize: number,
  value: (row: number, s: number) => number,
) {
  const { kernels, memory, allocate } = openKernels(16 * MEBI);
  const views = viewsOf(memory);
  const blocks = Math.ceil(scenarios / blockSize);
  const blockBytes = rows * blockSize * 8 + 192;
  const cube = allocate(blocks * blockBytes);
  const plain = Array.from({ length: rows }, () => new Float64Array(scenarios));
  for (let row = 0; row < rows; row++) {
    for (let s = 0; s < blocks * blockSize; s++) {
      const block = Math.floor(s / blockSize) * blockBytes;
      const at = cube + block + (row * blockSize + (s % blockSize)) * 8;
      // What pads the last block is a great loss on purpose: it must never be kept.
      const pnl = s < scenarios ? value(row, s) : -1e9;
      views.f64[at / 8] = pnl;
      if (s < scenarios) plain[row]![s] = pnl;
    }
  }
  const scales = allocate(rows * 8);
  const whole = allocate(scenarios * 8 + 16);
  plain.forEach((row, i) => {
    views.f64.set(row, whole / 8);
    views.f64[scales / 8 + i] = kernels.rowScale(whole, scenarios);
  });
  const room = allocate(128 + rows * (4 * blockSize + 1));
  const region = { start: allocate(4 * MEBI), bytes: 4 * MEBI };
  const books = new BookMemory(views, region, blockSize * 8);
  const run = (): void =>
    kernels.accumulate(
      cube,
      blockBytes,
      blockSize,
      scenarios,
      rows,
      scales,
      books.records,
      books.count,
      room,
    );
  const kept = (book: number, keep: number): Float64Array => {
    const at = views.u32[books.record(book) / 4 + 2]! / 8;
    return views.f64.slice(at, at + keep);
  };
  return { kernels, views, allocate, cube, blockBytes, blocks, plain, books, run, kept };
}

function randomSegments(
  next: () => number,
  rows: number,
  positions: number,
  count: number,
): PlainSegment[] {
  return Array.from({ length: count }, () => ({
    rows: Array.from({ length: positions }, () => Math.floor((next() + 1) * 0.5 * rows)),
    sizes: Array.from({ length: positions }, () => next() * 10),
  }));
}

describe('accumulate', () => {
  it.each([
    [32, 10_240],
    [64, 10_000],
    [64, 1_001],
    [32, 7],
    [32, 1],
  ])('keeps exactly the worst of the canonical sums: block %i, %i scenarios', (blockSize, scenarios) => {
    const next = uniform(scenarios);
    const { plain, books, run, kept } = scene(scenarios, 9, blockSize, () => next() + next());
    const ranks = tailRanks(scenarios, 0.99);
    const all = [1, 2, 3, 5, 8].map((positions) =>
      randomSegments(next, 9, positions, 1 + (positions % 3)),
    );
    for (const segments of all) books.add({ segments }, ranks.keep);
    run();
    all.forEach((segments, book) => {
      const expected = worst(portfolioPnl(segments, plain, scenarios), ranks.keep);
      // The same order of the same sums: equal to the last bit.
      expect(kept(book, ranks.keep)).toEqual(expected);
      const pnl = portfolioPnl(segments, plain, scenarios);
      expect(tailMeasures(kept(book, ranks.keep), ranks)).toMatchObject(plainTail(pnl, 0.99));
    });
  });

  it('is exact when scenarios are in no random order: sorted up, sorted down, all equal, one step', () => {
    const scenarios = 4_096;
    const shapes = [
      (s: number) => s,
      (s: number) => -s,
      () => 1,
      (s: number) => (s < 4_000 ? 0 : -s),
    ];
    const { plain, books, run, kept } = scene(scenarios, 4, 32, (row, s) => shapes[row]!(s));
    const { keep } = tailRanks(scenarios, 0.99);
    for (let row = 0; row < 4; row++) {
      books.add({ segments: [{ rows: [row], sizes: [1] }] }, keep);
    }
    run();
    for (let row = 0; row < 4; row++) expect(kept(row, keep)).toEqual(worst(plain[row]!, keep));
  });

  it('rules nothing out that single precision cannot: hedges, ties, rows of any size and of zeros', () => {
    const scenarios = 1_600;
    const next = uniform(17);
    const worstOf = tailRanks(scenarios, 0.99).keep;
    // Row by row: ordinary, almost its twin, tiny, vast, zeros, a few great losses in a calm, one loss for nearly all scenarios.
    const base = Float64Array.from({ length: scenarios }, () => next() + next() + next());
    const shapes: ((s: number) => number)[] = [
      (s) => base[s]!,
      (s) => base[s]! * (1 + 1e-9 * Math.sin(s)),
      (s) => 1e-300 * Math.cos(s),
      (s) => 1e280 * Math.sin(7 * s),
      () => 0,
      (s) => (s % 97 === 5 ? -1e9 * (1 + (s % 13)) : 1e-3 * Math.sin(s)),
      (s) => (s % 500 === 3 ? 5 : -1),
      (s) => Math.sin(s * s) * 2 ** -1060,
      // One value beyond what single precision is scaled to, and one that is not finite, among ordinary ones.
      (s) => (s === 700 ? 1e291 : 0.5 * base[(s * 7) % scenarios]!),
      (s) => (s === 900 ? Number.POSITIVE_INFINITY : 0.5 * base[(s * 11) % scenarios]!),
    ];
    const sizes = [1, -1, 3e-7, 2e5, 1e-290, -4e8];
    const cases: [string, PlainSegment[]][] = [
      ['a hedge', [{ rows: [0, 1], sizes: [1e6, -1e6] }]],
      [
        'a hedge beside a position',
        [
          { rows: [0, 1], sizes: [1e9, -1e9] },
          { rows: [5], sizes: [1e-9] },
        ],
      ],
      ['zeros', [{ rows: [4], sizes: [3] }]],
      ['zeros and more', [{ rows: [4, 0], sizes: [1e12, 1] }]],
      ['a premium lost', [{ rows: [6], sizes: [2.5] }]],
      ['premiums lost beside a small risk', [{ rows: [6, 0], sizes: [1e8, 1e-6] }]],
      [
        'beyond the range',
        [
          { rows: [3], sizes: [9e18] },
          { rows: [0], sizes: [1] },
        ],
      ],
      [
        'a great outlier in small',
        [
          { rows: [0], sizes: [1] },
          { rows: [8], sizes: [1e-3] },
        ],
      ],
      [
        'an infinity in small',
        [
          { rows: [0], sizes: [1] },
          { rows: [9], sizes: [1e-3] },
        ],
      ],
      ['below the range', [{ rows: [7], sizes: [1e-5] }]],
      ...shapes.flatMap((_, row) =>
        sizes.map((size): [string, PlainSegment[]] => [
          `row ${row} × ${size}`,
          [{ rows: [row], sizes: [size] }],
        ]),
      ),
      ...Array.from({ length: 60 }, (_, i): [string, PlainSegment[]] => {
        const pick = () => Math.floor((next() + 1) * 4);
        const rows = Array.from({ length: 1 + (i % 7) }, pick);
        return [
          `drawn ${i}`,
          [{ rows, sizes: rows.map(() => 10 ** Math.floor(next() * 12) * next()) }],
        ];
      }),
    ];
    const { plain, books, run, kept } = scene(scenarios, shapes.length, 64, (row, s) =>
      shapes[row]!(s),
    );
    for (const [, segments] of cases) books.add({ segments }, worstOf);
    run();
    cases.forEach(([name, segments], book) => {
      const expected = worst(portfolioPnl(segments, plain, scenarios), worstOf);
      expect(kept(book, worstOf), name).toEqual(expected);
    });
  });

  it('passes over scenarios of +∞: rows that do not count', () => {
    const { plain, books, run, kept } = scene(2_048, 2, 32, (row, s) =>
      row === 0 ? -s : s % 3 === 0 ? Number.POSITIVE_INFINITY : 0,
    );
    books.add({ segments: [{ rows: [0, 1], sizes: [2, 1] }] }, 20);
    run();
    const counted = plain[0]!.filter((_, s) => s % 3 !== 0).map((x) => 2 * x);
    expect(kept(0, 20)).toEqual(worst(counted, 20));
  });

  it('gives one book the same bits alone and among others', () => {
    const next = uniform(5);
    const { books, run, kept } = scene(3_000, 40, 32, () => next());
    const segments = randomSegments(next, 40, 7, 3);
    books.add({ segments }, 50);
    run();
    const alone = kept(0, 50);
    books.clear(32 * 8);
    for (let i = 0; i < 100; i++) books.add({ segments: randomSegments(next, 40, 5, 2) }, 50);
    const number = books.add({ segments }, 50);
    run();
    expect(kept(number, 50)).toEqual(alone);
  });

  it('is one sum, whether a book is summed alone from contiguous rows or among many from blocks', () => {
    const next = uniform(11);
    const scenarios = 1_500;
    const { kernels, views, allocate, plain, books, cube, blockBytes, blocks } = scene(
      scenarios,
      12,
      32,
      () => next(),
    );
    const rowBytes = blocks * 32 * 8 + 320;
    const rows = allocate(12 * rowBytes);
    plain.forEach((row, i) => {
      views.f64.set(row, (rows + i * rowBytes) / 8);
    });
    const out = allocate(rowBytes);
    books.clear(rowBytes);
    for (const [positions, count] of [
      [1, 1],
      [2, 3],
      [5, 2],
      [6, 1],
      [9, 4],
      [13, 2],
    ] as const) {
      const segments = randomSegments(next, 12, positions, count);
      const record = books.record(books.add({ segments }, 1));
      kernels.sumRows(rows, scenarios, record, out, books.spare);
      expect(views.f64.slice(out / 8, out / 8 + scenarios)).toEqual(
        portfolioPnl(segments, plain, scenarios),
      );
    }
    const before = views.f64.slice(cube / 8, (cube + blocks * blockBytes) / 8);
    for (let row = 0; row < 12; row++) {
      kernels.packRow(rows + row * rowBytes, blocks - 1, 32, cube + row * 32 * 8, blockBytes);
    }
    expect(views.f64.slice(cube / 8, (cube + blocks * blockBytes) / 8)).toEqual(before);
  });
});

describe('tailOf', () => {
  it('keeps exactly the worst of any values, ties and all', () => {
    const { kernels, memory, allocate } = openKernels(8 * MEBI);
    const views = viewsOf(memory);
    const values = allocate(8_192 * 8);
    const region = { start: allocate(MEBI), bytes: MEBI };
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
            fc.integer({ min: -3, max: 3 }),
          ),
          {
            minLength: 1,
            maxLength: 4_000,
          },
        ),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (items, share) => {
          // −0 does not occur in sums that begin at 0.
          const row = Float64Array.from(items, (x) => x + 0);
          const keep = Math.max(1, Math.floor(share * row.length));
          views.f64.set(row, values / 8);
          const books = new BookMemory(views, region, 0);
          const book = books.add({ segments: [] }, keep);
          kernels.tailOf(books.record(book), values, row.length);
          const at = views.u32[books.record(book) / 4 + 2]! / 8;
          expect(views.f64.slice(at, at + keep)).toEqual(worst(row, keep));
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('bounds a row, and finds a value that is not finite', () => {
    const next = uniform(3);
    const { kernels, views, allocate, plain } = scene(1_024, 3, 32, () => next());
    const values = allocate(1_024 * 8);
    views.f64.set(plain[1]!, values / 8);
    const bound = Math.max(...plain[1]!.map(Math.abs));
    expect(kernels.rowBound(values, 1_024)).toBe(bound);
    views.f64[values / 8 + 5] = Number.NEGATIVE_INFINITY;
    expect(kernels.rowBound(values, 1_024)).toBeNaN();
  });
});
