/** Wrong calls and wrong input end with 2, the reason on stderr, and with `--json` as a document. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
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
const broken = place(folder, 'broken.json', '{"asOf": ');
const surplus = place(folder, 'surplus.json', { ...SMALL_FACTORS, correlations: [] });
const two = place(folder, 'two.ndjson', `${JSON.stringify(SMALL_ACCOUNT)}\n{"id": "other"}\n`);
const cut = place(folder, 'cut.json', '[{"id": "a"}');
const full = ['-m', market, '-f', factors, '-a', accounts];
const absent = join(folder, 'absent.json');

const CASES: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['an unknown command', ['margn'], /unknown command 'margn'[\s\S]*Did you mean margin/],
  ['an unknown option', ['margin', ...full, '--scenario', '5'], /unknown option '--scenario'/],
  ['a missing option', ['margin', '-m', market], /'-a, --accounts <FILE>' not specified/],
  ['an option that is no number', ['margin', ...full, '-n', '10k'], /a number is expected/],
  ['an unknown model', ['margin', ...full, '--model', 'cauchy'], /Allowed choices are gaussian/],
  ['no scenario', ['margin', ...full, '-n', '0'], /INVALID_SCENARIO_COUNT.*1 to 10000000, got 0/],
  [
    'too many scenarios',
    ['margin', ...full, '-n', '1e9'],
    /INVALID_SCENARIO_COUNT.*got 1000000000/,
  ],
  ['half a scenario', ['margin', ...full, '-n', '0.5'], /INVALID_SCENARIO_COUNT/],
  ['a confidence of 1', ['margin', ...full, '-c', '1'], /INVALID_FIELD[\s\S]*at: confidence/],
  ['a horizon of 0', ['margin', ...full, '--horizon', '0'], /INVALID_FIELD[\s\S]*at: horizonDays/],
  ['no worker', ['margin', ...full, '--workers', '0'], /INVALID_FIELD[\s\S]*at: workers/],
  ['no market', ['margin', '-f', factors, '-a', accounts], /USAGE: no market/],
  ['a market that is not there', ['market', '-m', absent], /NOT_FOUND.*absent\.json/],
  ['a market that is broken', ['market', '-m', broken], /MALFORMED_JSON: .*broken\.json/],
  [
    'no factors',
    ['margin', '-m', market, '-a', accounts],
    /MISSING_FACTOR[\s\S]*plimsoll calibrate[\s\S]*--factors implied/,
  ],
  [
    'factors with an unknown field',
    ['margin', '-m', market, '-f', surplus, '-a', accounts],
    /UNKNOWN_FIELD: .*surplus\.json: correlations/,
  ],
  [
    'student-t without degrees of freedom',
    ['margin', ...full, '--model', 'student-t'],
    /MISSING_FIELD[\s\S]*hint: add degreesOfFreedom/,
  ],
  [
    'accounts that are not there',
    ['margin', '-m', market, '-f', factors, '-a', absent],
    /NOT_FOUND.*absent\.json/,
  ],
  ['an array that is cut', ['margin', '-m', market, '-f', factors, '-a', cut], /MALFORMED_JSON/],
  [
    'a folder that is not there',
    ['margin', ...full, '--out', join(folder, 'no', 'out.ndjson')],
    /USAGE: cannot write/,
  ],
  [
    'two inputs from stdin',
    ['margin', '-m', '-', '-f', factors, '-a', '-'],
    /USAGE: only one input/,
  ],
  ['an account of several', ['var', '-m', market, '-f', factors, '-a', two], /USAGE[\s\S]*at: id/],
  [
    'an account that is not there',
    ['var', '-m', market, '-f', factors, '-a', two, '--id', 'x'],
    /NOT_FOUND[\s\S]*at: id/,
  ],
  ['no history', ['calibrate'], /USAGE: no history/],
  [
    'a demo of nothing',
    ['demo', '--out', folder, '--underlyings', '0'],
    /INVALID_FIELD[\s\S]*at: underlyings/,
  ],
];

describe('wrong calls and input', () => {
  it.each(CASES)('%s', async (_, args, message) => {
    const run = await plimsoll([...args, '-q']);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/\n\s+at .*\.js/);
    expect(run.stdout).toBe('');
    expect(run.code).toBe(2);
  });

  it('is one JSON document on stdout where --json is given', async () => {
    const missing = await plimsoll(['margin', '-m', market, '-a', accounts, '--json']);
    expect(missing.code).toBe(2);
    expect(JSON.parse(missing.stdout)).toMatchObject({
      error: { code: 'MISSING_FACTOR', path: 'factors' },
    });
    const unknown = await plimsoll(['margin', ...full, '--json', '--bogus']);
    expect(unknown.code).toBe(2);
    expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: 'USAGE' } });
  });

  it('help and version are no failure; nothing at all is one', async () => {
    const help = await plimsoll(['--help']);
    expect(help.code).toBe(0);
    for (const word of [
      'margin',
      'var',
      'calibrate',
      'market',
      'demo',
      'serve',
      'bench',
      'Exit codes',
    ]) {
      expect(help.stdout).toContain(word);
    }
    expect((await plimsoll(['margin', '--help'])).stdout).toMatch(/--scenarios <N>/);
    expect((await plimsoll(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const nothing = await plimsoll([]);
    expect([nothing.code, nothing.stdout]).toEqual([2, '']);
  });
});
