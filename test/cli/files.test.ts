/** What a command must not do to files: write over its inputs, leave half of a result, take a damaged one for whole. */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  type Ended,
  place,
  plimsoll,
  SMALL_ACCOUNT,
  SMALL_FACTORS,
  SMALL_MARKET,
  temporaryFolder,
} from './command.ts';

const folder = temporaryFolder();
const market = place(folder, 'market.json', SMALL_MARKET);
const factors = place(folder, 'factors.json', SMALL_FACTORS);
const accounts = place(folder, 'accounts.ndjson', `${JSON.stringify(SMALL_ACCOUNT)}\n`);
const days = Array.from({ length: 40 }, (_, i) => new Date(86_400_000 * (20_000 + i)));
const levels = days.map((day, i) => `${day.toISOString().slice(0, 10)},${100 + (i % 7)}\n`);
const history = place(folder, 'history.csv', `date,BTC\n${levels.join('')}`);
const methodology = place(folder, 'methodology.json', { scenarios: 1000 });
const model = ['-m', market, '-f', factors];
const full = ['margin', ...model, '-a', accounts, '-q'];
const link = join(folder, 'link.json');
symlinkSync(market, link);
const linked = join(folder, 'linked');
symlinkSync(folder, linked);

function refused(run: Ended, message: RegExp): void {
  expect(run.stderr).toMatch(message);
  expect(run.stderr).not.toMatch(/\n\s+at .*\.js/);
  expect(run.stdout).toBe('');
  expect(run.code).toBe(2);
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
}

describe('results do not take the place of inputs', () => {
  const CASES: readonly (readonly [string, readonly string[], string])[] = [
    ['margin, its market', [...full, '-o', market], market],
    ['margin, its accounts', [...full, '-o', accounts], accounts],
    [
      'margin, its factors in other words',
      [...full, '-o', join(folder, '.', 'factors.json')],
      factors,
    ],
    [
      'margin, its methodology',
      [...full, '--methodology', methodology, '-o', methodology],
      methodology,
    ],
    ['margin, its history', [...full, '--history', history, '-o', history], history],
    ['margin, through a link', [...full, '-o', link], market],
    ['margin, through a link to the folder', [...full, '-o', join(linked, 'market.json')], market],
    [
      'margin, from a link',
      ['margin', '-m', link, '-f', factors, '-a', accounts, '-o', market],
      market,
    ],
    ['var', ['var', ...model, '-a', accounts, '--report', accounts], accounts],
    ['calibrate', ['calibrate', '--history', history, '-o', history], history],
    ['market', ['market', '-m', market, '-o', market], market],
    ['demo', ['demo', '-m', market, '-o', folder], market],
  ];

  it.each(CASES)('%s', async (_, args, input) => {
    const before = readFileSync(input, 'utf8');
    const option = args.includes('--report') ? 'report' : 'out';
    refused(
      await plimsoll(args),
      new RegExp(`USAGE: --${option} would overwrite[\\s\\S]*at: ${option}`),
    );
    expect(readFileSync(input, 'utf8')).toBe(before);
  });

  it('but other files and devices may be written, twice over', async () => {
    const out = join(folder, 'again.ndjson');
    for (let i = 0; i < 2; i++) expect((await plimsoll([...full, '-o', out])).code).toBe(0);
    expect((await plimsoll([...full, '-o', '/dev/null'])).code).toBe(0);
  });

  it('nor is standard input read twice, whatever it stands for', async () => {
    const run = await plimsoll(['margin', ...model, '-a', '-', '--methodology', '-'], '{}');
    refused(run, /USAGE: only one input/);
  });
});

describe('a place that cannot be written to', () => {
  // Files of the market are read after it is noticed: a market that is not there does not come into it.
  const absent = ['-m', join(folder, 'absent.json'), '-f', factors];
  const nowhere = join(folder, 'no', 'result');

  it.each([
    ['margin', ['margin', ...absent, '-a', accounts, '-o', nowhere], 'out'],
    ['var', ['var', ...absent, '-a', accounts, '--report', nowhere], 'report'],
    ['a folder', ['margin', ...absent, '-a', accounts, '-o', folder], 'out'],
    ['no name', ['margin', ...absent, '-a', accounts, '-o', ''], 'out'],
  ] as const)('is noticed before any work: %s', async (_, args, option) => {
    refused(await plimsoll(args), new RegExp(`USAGE: [\\s\\S]*at: ${option}`));
  });

  it('and what was opened is taken back where the work fails', async () => {
    const out = join(folder, 'never.ndjson');
    refused(await plimsoll(['margin', ...absent, '-a', accounts, '-o', out]), /NOT_FOUND/);
    const page = join(folder, 'never.html');
    refused(await plimsoll(['var', ...absent, '-a', accounts, '--report', page]), /NOT_FOUND/);
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
  });
});

describe('a byte order mark is named', () => {
  const marked = (name: string, value: unknown): string => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return place(folder, name, `\ufeff${text}`);
  };
  const pattern = (path: string): RegExp =>
    new RegExp(`MALFORMED_JSON: \\S*${basename(path)} begins with a byte order mark`);

  it.each([
    ['ndjson', `${JSON.stringify(SMALL_ACCOUNT)}\n`],
    ['json', JSON.stringify([SMALL_ACCOUNT])],
  ])('in accounts: %s', async (form, text) => {
    const path = marked(`marked.${form}`, text);
    refused(await plimsoll(['margin', ...model, '-a', path, '-q']), pattern(path));
    refused(await plimsoll(['var', ...model, '-a', path, '-q']), pattern(path));
  });

  it('in the market, plain and gzipped, in factors and in the methodology', async () => {
    const path = marked('markedMarket.json', SMALL_MARKET);
    refused(await plimsoll(['market', '-m', path]), pattern(path));
    const zipped = join(folder, 'markedMarket.json.gz');
    writeFileSync(zipped, gzipSync(readFileSync(path)));
    refused(await plimsoll(['market', '-m', zipped]), pattern(zipped));
    const own = marked('markedFactors.json', SMALL_FACTORS);
    refused(
      await plimsoll(['margin', '-m', market, '-f', own, '-a', accounts, '-q']),
      pattern(own),
    );
    const method = marked('markedMethodology.json', '{}');
    refused(await plimsoll([...full, '--methodology', method]), pattern(method));
  });

  it('on standard input, and of UTF-16', async () => {
    const args = ['margin', ...model, '-a', '-', '-q'];
    refused(await plimsoll(args, '\ufeff{}'), /standard input begins with a byte order mark/);
    const path = join(folder, 'wide.ndjson');
    writeFileSync(path, Buffer.from(`\ufeff${JSON.stringify(SMALL_ACCOUNT)}\n`, 'utf16le'));
    refused(await plimsoll(['margin', ...model, '-a', path, '-q']), /byte order mark \(UTF-16\)/);
  });
});

describe('gzipped accounts that were cut', () => {
  const lines = (n: number): string =>
    Array.from(
      { length: n },
      (_, i) => `${JSON.stringify({ ...SMALL_ACCOUNT, id: `a${i}` })}\n`,
    ).join('');

  // Cut in the first piece that is read, and, at 9 MB of text, long after the first results.
  it.each([
    ['early', 10, 0.5],
    ['late', 90_000, 0.9],
  ])('%s', async (when, count, share) => {
    const whole = gzipSync(lines(count));
    const path = join(folder, `${when}.ndjson.gz`);
    writeFileSync(path, whole.subarray(0, Math.floor(whole.length * share)));
    const out = join(folder, `cut-${when}.ndjson`);
    const args = ['margin', ...model, '-a', path, '-q'];
    refused(await plimsoll([...args, '-o', out]), /MALFORMED_JSON: .*the gzip stream is damaged/);
    refused(await plimsoll(args), /MALFORMED_JSON: .*the gzip stream is damaged/);
    expect(readdirSync(folder).filter((name) => name.startsWith('cut-'))).toEqual([]);
  });
});

it('a made-up exchange on a market elsewhere is written', async () => {
  const other = join(folder, 'other');
  mkdirSync(other);
  const own = join(other, 'mine.json');
  copyFileSync(market, own);
  expect((await plimsoll(['demo', '-m', own, '-o', other, '--accounts', '3'])).code).toBe(0);
});
