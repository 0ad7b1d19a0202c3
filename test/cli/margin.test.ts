/** `plimsoll margin` as a user calls it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  Field,
  Float64,
  List,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type NdjsonAnswer,
  place,
  plimsoll,
  readAnswer,
  SMALL_ACCOUNT,
  SMALL_FACTORS,
  SMALL_MARKET,
  temporaryFolder,
} from './command.ts';

const folder = temporaryFolder();
const market = place(folder, 'market.json', SMALL_MARKET);
const factors = place(folder, 'factors.json', SMALL_FACTORS);
const model = ['-m', market, '-f', factors];
const ACCOUNTS = Array.from({ length: 700 }, (_, i) => ({
  ...SMALL_ACCOUNT,
  id: `acct-${i}`,
  positions: [{ instrument: 'BTC-LINEAR', size: i + 1 }],
}));
const NDJSON = ACCOUNTS.map((account) => `${JSON.stringify(account)}\n`).join('');
const accounts = place(folder, 'accounts.ndjson', NDJSON);

/** φ and Φ of the standard normal where they are needed: 0.99 quantile and density there (published tables). */
const Z99 = 2.3263478740408408;
const PHI_Z99 = 0.026652142203457806;

describe('plimsoll margin', () => {
  let results: NdjsonAnswer;
  let file: string;

  beforeAll(async () => {
    const out = join(folder, 'results.ndjson');
    const run = await plimsoll(['margin', ...model, '-a', accounts, '--out', out]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(/The 10 greatest accounts, in USD/);
    expect(run.stderr).toMatch(/accounts\/s/);
    file = readFileSync(out, 'utf8');
    results = readAnswer(file);
  });

  it('answers in the order of the accounts, with a summary whose digest is that of the lines', () => {
    expect(results.values.map((value) => value.account)).toEqual(ACCOUNTS.map(({ id }) => id));
    expect(results.summary).toEqual({ accounts: 700, rejected: 0, digest: results.digest });
  });

  it('gives the expected shortfall of a lognormal asset', () => {
    // Long 1 of 90,000: given the worst 1%, e^X with X ~ N(0, s²) has mean e^{s²/2} Φ(−z − s)/0.01. The loss is its series in s to the third
    // order; what is left out is some 3 s⁴ = 1.4e-6 of the price, a five-hundredth of a standard error.
    const s = 0.5 / Math.sqrt(365);
    const ratio = PHI_Z99 / 0.01;
    const second = (1 + Z99 * ratio) / 2;
    const third = ratio * ((Z99 * Z99 - 1) / 6 + 1 / 2);
    const expected = 90_000 * (ratio * s - second * s * s + third * s * s * s);
    const risk = results.values[0]!.risk as {
      expectedShortfall: number;
      standardError: { expectedShortfall: number };
    };
    const { expectedShortfall, standardError } = risk;
    const error = Math.abs(expectedShortfall - expected);
    expect(error).toBeLessThan(4 * standardError.expectedShortfall);
  });

  it('gives the same lines through stdin and stdout, gzip, a JSON array and any number of workers', async () => {
    const args = ['margin', ...model, '-q'];
    const piped = await plimsoll([...args, '-a', '-', '--out', '-', '--workers', '1'], NDJSON);
    expect(piped.stdout).toBe(file);
    expect(piped.stderr).toMatch(/The 10 greatest accounts/);
    const packed = join(folder, 'accounts.bin');
    place(folder, 'accounts.json', JSON.stringify(ACCOUNTS, null, 1));
    writeFileSync(packed, gzipSync(NDJSON));
    const unpacked = join(folder, 'results.ndjson.gz');
    const zipped = await plimsoll([...args, '-a', packed, '--out', unpacked, '--workers', '3']);
    expect(zipped.code).toBe(0);
    expect(gunzipSync(readFileSync(unpacked)).toString()).toBe(file);
    const array = await plimsoll([...args, '-a', join(folder, 'accounts.json'), '--json']);
    const elements = JSON.parse(array.stdout) as unknown[];
    expect(elements.slice(0, -1)).toEqual(results.values);
    expect(elements.at(-1)).toEqual({ summary: results.summary });
  });

  it('takes a single account as a JSON document, and shows a table when no output is asked for', async () => {
    const path = place(folder, 'account.json', JSON.stringify(SMALL_ACCOUNT, null, 2));
    const run = await plimsoll(['margin', ...model, '-a', path, '-n', '2048', '--seed', '7']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/^Accounts, in USD\n/);
    expect(run.stdout).toMatch(/one\s+portfolio\s+[\d,]+\.\d\d ± [\d,]+\.\d\d/);
    expect(run.stdout).toMatch(/digest\s+sha256:[0-9a-f]{64}/);
    expect(run.stderr).toMatch(/engine: 2048 scenarios/);
  });

  it('answers the good accounts, names what is wrong with the others and ends with 3', async () => {
    const spoiled = [
      { ...SMALL_ACCOUNT, id: 'unknown', positions: [{ instrument: 'XRP-LINEAR', size: 1 }] },
      { ...SMALL_ACCOUNT, id: 'text', positions: [{ instrument: 'BTC-LINEAR', size: '1' }] },
      { ...SMALL_ACCOUNT, id: 'lacking', collateral: [{ asset: 'USD' }] },
    ];
    const lines = [ACCOUNTS[0], spoiled[0], spoiled[1], ACCOUNTS[1], spoiled[2]];
    const text = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"id": broken\n`;
    const run = await plimsoll(['margin', ...model, '-a', '-', '--json', '-q'], text);
    expect(run.code).toBe(3);
    const answer = readAnswer(run.stdout);
    expect(answer.summary).toEqual({ accounts: 6, rejected: 4, digest: answer.digest });
    expect(answer.values[0]).toEqual(results.values[0]);
    expect(answer.values[3]).toEqual(results.values[1]);
    const errors = [1, 2, 4, 5].map((i) => answer.values[i]!);
    expect(errors).toMatchObject(
      [
        {
          account: 'unknown',
          error: { code: 'UNKNOWN_INSTRUMENT', path: 'positions[0].instrument' },
        },
        { account: 'text', error: { code: 'INVALID_FIELD', path: 'positions[0].size' } },
        { account: 'lacking', error: { code: 'MISSING_FIELD', path: 'collateral[0].amount' } },
        { account: null, error: { code: 'MALFORMED_JSON', message: /^line 6: / } },
      ].map((record) => ({ ...record, error: { ...record.error, message: expect.any(String) } })),
    );
    expect(run.stderr).toMatch(/Rejected: 4/);
    expect(run.stderr).toMatch(/unknown\s+UNKNOWN_INSTRUMENT\s+positions\[0\]\.instrument/);
    expect(String((errors[3]!.error as { message: string }).message)).toMatch(/^line 6: /);
  });

  it('replays a history', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => {
      const day = new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10);
      return `${day},${80_000 + 37 * ((i * 7919) % 301)},${(0.4 + ((i * 31) % 17) / 100).toFixed(2)}`;
    });
    const history = place(folder, 'history.csv', `date,BTC,BTC:vol\n${rows.join('\n')}\n`);
    const args = ['margin', '-m', market, '-a', accounts, '--model', 'historical', '--json', '-q'];
    const run = await plimsoll([...args, '--history', history]);
    expect(run.code, run.stderr).toBe(0);
    const [first] = readAnswer(run.stdout).values;
    expect(first!.risk).toMatchObject({ scenarios: 299 });
    const without = await plimsoll(args);
    expect(without.code).toBe(2);
    expect(without.stderr).toMatch(/MISSING_HISTORY[\s\S]*hint: give --history/);
  });

  it('margins one by one where no cube can be kept', async () => {
    // The made-up market has about a thousand rows: 600,000 scenarios of 8 bytes each would be 5 GB, over the 4 GiB of a memory.
    const made = await plimsoll(['demo', '--out', join(folder, 'big'), '--accounts', '2', '-q']);
    expect(made.code, made.stderr).toBe(0);
    const files = ['market.json', 'factors.json', 'accounts.ndjson'];
    const [m, f, a] = files.map((name) => join(folder, 'big', name)) as [string, string, string];
    const args = ['margin', '-m', m, '-f', f, '-a', a, '--json', '-q', '-n', '600000'];
    const run = await plimsoll(args);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/one by one/);
    const answer = readAnswer(run.stdout);
    expect(answer.summary).toEqual({ accounts: 2, rejected: 0, digest: answer.digest });
    expect(answer.values[0]!.risk).toMatchObject({ scenarios: 600_000 });
  });

  it('takes an Arrow stream, answers with one, and has the digest of the lines', async () => {
    const columns = {
      id: vectorFromArray(
        ACCOUNTS.map(({ id }) => id),
        new Utf8(),
      ),
      instruments: vectorFromArray(
        ACCOUNTS.map(({ positions }) => positions.map(({ instrument }) => instrument)),
        new List(new Field('item', new Utf8())),
      ),
      sizes: vectorFromArray(
        ACCOUNTS.map(({ positions }) => positions.map(({ size }) => size)),
        new List(new Field('item', new Float64())),
      ),
    };
    const path = join(folder, 'accounts.arrows');
    writeFileSync(path, tableToIPC(new Table(columns), 'stream'));
    const out = join(folder, 'results.arrows');
    const run = await plimsoll(['margin', ...model, '-a', path, '--out', out, '-q']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/accounts\s+700, of which rejected 0/);
    const margins = tableFromIPC(readFileSync(out))
      .getChild('initialMargin')!
      .toArray() as Float64Array;
    expect([...margins.subarray(0, 700)]).toEqual(
      results.values.map(({ initialMargin }) => initialMargin),
    );
    const file = place(folder, 'accounts.feather', 'ARROW1\0\0');
    const refused = await plimsoll(['margin', ...model, '-a', file, '-q']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/MALFORMED_ARROW/);
  });

  it('tells what the batch came to where results go to a file and JSON is asked for', async () => {
    const out = join(folder, 'again.ndjson');
    const run = await plimsoll(['margin', ...model, '-a', accounts, '--out', out, '--json', '-q']);
    expect(run.code, run.stderr).toBe(0);
    const told = JSON.parse(run.stdout) as { totals: { initialMargin: number } };
    expect(told).toMatchObject({ summary: results.summary, currency: 'USD' });
    const sum = results.values.reduce((total, value) => total + Number(value.initialMargin), 0);
    expect(told.totals.initialMargin).toBe(sum);
    expect(readFileSync(out, 'utf8')).toBe(file);
  });

  it('leaves no file behind where it fails', async () => {
    const out = join(folder, 'never.json');
    const run = await plimsoll(
      ['margin', ...model, '-a', '-', '--out', out, '-q'],
      '[{"id": 1} {"id": 2}]',
    );
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/MALFORMED_JSON/);
    expect(existsSync(out)).toBe(false);
    const cut = join(folder, 'cut.ndjson.gz');
    writeFileSync(cut, gzipSync(NDJSON).subarray(0, 2000));
    const damaged = await plimsoll(['margin', ...model, '-a', cut, '--out', out, '-q']);
    expect(damaged.code).toBe(2);
    expect(damaged.stderr).toMatch(/MALFORMED_JSON: .*cut\.ndjson\.gz: the gzip stream is damaged/);
    expect(existsSync(out)).toBe(false);
  });

  it.skipIf(!existsSync('/dev/full'))('a full disk ends it with 1', async () => {
    const run = await plimsoll(['margin', ...model, '-a', accounts, '--out', '/dev/full', '-q']);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/OUTPUT_FAILED: cannot write \/dev\/full/);
  });
});
