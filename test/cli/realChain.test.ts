/** The command on a whole Deribit chain of 30 December 2025, 5,000 accounts on it, three of them spoiled; skipped where the data is not at hand. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { place, plimsoll, readAnswer, temporaryFolder } from './command.ts';

const DATA =
  process.env.PLIMSOLL_TEST_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const chain = join(DATA, 'deribit', 'deribit_options_snapshot_20251230T173115Z.csv.gz');
const absent = !existsSync(chain);
const title = absent ? 'a real chain (skipped: no PLIMSOLL_TEST_DATA)' : 'a real chain';

interface Spoilt {
  readonly id: string;
  readonly positions: { instrument: string; size: number | string }[];
  readonly collateral: { asset: string; amount: number }[];
}

describe.skipIf(absent)(title, () => {
  const folder = temporaryFolder();
  const factors = join(folder, 'factors.json');
  const accounts = join(folder, 'accounts.ndjson');
  let good: readonly string[] = [];

  beforeAll(async () => {
    const run = await plimsoll(['demo', '-m', chain, '--out', folder, '--accounts', '5000', '-q']);
    expect(run.code, run.stderr).toBe(0);
    good = readFileSync(accounts, 'utf8').trim().split('\n');
  });

  it('margins 5,000 accounts and names what is wrong with three of them', async () => {
    const lines = [...good];
    const spoil = (i: number, change: (account: Spoilt) => void): string => {
      const account = JSON.parse(lines[i]!) as Spoilt;
      change(account);
      lines[i] = JSON.stringify(account);
      return account.id;
    };
    const ids = [
      spoil(0, ({ positions }) => {
        positions.at(-1)!.instrument = 'BTC-31DEC99-1-C';
      }),
      spoil(2500, ({ positions }) => {
        positions[0]!.size = 'all';
      }),
      spoil(4999, ({ collateral }) => {
        collateral[0]!.asset = 'DOGE';
      }),
    ];
    const last = (JSON.parse(good[0]!) as Spoilt).positions.length - 1;
    const input = join(folder, 'spoiled.ndjson');
    const out = join(folder, 'results.ndjson');
    writeFileSync(input, lines.join('\n'));
    const run = await plimsoll(['margin', '-m', chain, '-f', factors, '-a', input, '-o', out]);
    expect(run.code, run.stderr).toBe(3);
    const answer = readAnswer(readFileSync(out, 'utf8'));
    expect(answer.summary).toEqual({ accounts: 5000, rejected: 3, digest: answer.digest });
    const rejected = answer.values.filter((value) => 'error' in value);
    expect(rejected).toMatchObject([
      {
        account: ids[0],
        error: { code: 'UNKNOWN_INSTRUMENT', path: `positions[${last}].instrument` },
      },
      { account: ids[1], error: { code: 'INVALID_FIELD', path: 'positions[0].size' } },
      { account: ids[2], error: { code: 'UNKNOWN_ASSET', path: 'collateral[0].asset' } },
    ]);
    expect(answer.values.map((value) => value.account)).toEqual(
      lines.map((line) => (JSON.parse(line) as Spoilt).id),
    );
    for (const { path } of rejected.map((value) => value.error as { path: string })) {
      expect(run.stderr).toContain(path);
    }
  });

  it("reads the same market from the exchange's JSON-RPC answers", async () => {
    const answers = rpcAnswers();
    const files = answers.flatMap((answer, i) => ['-m', place(folder, `answer${i}.json`, answer)]);
    const few = place(folder, 'few.ndjson', good.slice(0, 50).join('\n'));
    const margin = async (market: readonly string[]): Promise<readonly Result[]> => {
      const args = ['margin', ...market, '-f', factors, '-a', few, '--json', '-q', '-n', '2048'];
      const run = await plimsoll(args);
      expect(run.code, run.stderr).toBe(0);
      return readAnswer(run.stdout).values as unknown as readonly Result[];
    };
    const [fromCsv, fromRpc] = [await margin(['-m', chain]), await margin(files)];
    fromCsv.forEach(({ account, initialMargin }, i) => {
      const gap = Math.abs(fromRpc[i]!.initialMargin / initialMargin - 1);
      expect(fromRpc[i]!.account).toBe(account);
      // The volatilities go through percent, a rounding of 2.2e-16 each; margin is a difference of values some 1e4 times its size at the most.
      expect(gap).toBeLessThan(1e-11);
    });
  });

  interface Result {
    readonly account: string;
    readonly initialMargin: number;
  }

  /** What public/get_book_summary_by_currency and public/get_instruments would have answered for each currency of the file. */
  function rpcAnswers(): unknown[] {
    const text = gunzipSync(readFileSync(chain)).toString().trim();
    const [header, ...lines] = text.split(/\r?\n/).map((line) => line.split(','));
    const rows = lines.map((line) =>
      Object.fromEntries(header!.map((name, i) => [name, line[i]!])),
    );
    return ['BTC', 'ETH'].flatMap((currency) => {
      const own = rows.filter((row) => row.currency === currency);
      const summaries = own.map((row) => ({
        instrument_name: row.instrument_name,
        base_currency: currency,
        creation_timestamp: Date.parse(row.timestamp!),
        mark_price: Number(row.mark_price),
        mark_iv: Number((100 * Number(row.implied_volatility)).toFixed(2)),
        underlying_price: Number(row.underlying),
        underlying_index: row.underlying_name,
        estimated_delivery_price: Number(row.index_price),
        bid_price: row.bid_price === '' ? null : Number(row.bid_price),
        ask_price: row.ask_price === '' ? null : Number(row.ask_price),
        volume: Number(row.volume),
        interest_rate: 0,
      }));
      const listings = own.map((row) => ({
        instrument_name: row.instrument_name,
        kind: 'option',
        contract_size: 1,
        expiration_timestamp: Date.parse(row.expiry_datetime!),
        strike: Number(row.strike),
        option_type: row.option_type,
        instrument_type: 'reversed',
        is_active: true,
      }));
      return [summaries, listings].map((result) => ({ jsonrpc: '2.0', result, testnet: false }));
    });
  }
});
