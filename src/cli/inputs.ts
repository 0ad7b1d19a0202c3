/** Reading what a command names: files whole (market, factors, history, methodology), or `-` for standard input. */
import { realpathSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { PlimsollError } from '../errors.ts';
import { decodeText, parseJson } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { isPreset, type MethodologyInput, readMethodology } from '../margin/methodology.ts';
import { type FactorModel, readFactorModel } from '../market/factorModel.ts';
import { type History, readHistory } from '../market/history.ts';
import type { HistoryLayout } from '../market/historyLayout.ts';
import { impliedFactorModel } from '../market/impliedFactors.ts';
import { readMarketTexts } from '../market/readers/marketFiles.ts';
import type { MarketSnapshot } from '../market/snapshot.ts';
import { refuseMark, refuseMarkedJson } from './byteOrderMark.ts';
import { joinHistories } from './joinHistories.ts';
import type { MarketOptions, ModelOptions, ScenarioOptions } from './options.ts';
import type { Terminal } from './terminal.ts';

/** @throws NOT_FOUND, TOO_LARGE */
async function readBytes(path: string, limit: number): Promise<Uint8Array> {
  if (path === '-') return readStandardInput(limit);
  try {
    const { size } = await stat(path);
    if (size > limit) refuseSize(path, limit);
    return await readFile(path);
  } catch (error) {
    if (error instanceof PlimsollError) throw error;
    throw cannotRead(path, error as Error);
  }
}

export function cannotRead(path: string, error: Error): PlimsollError {
  return new PlimsollError('NOT_FOUND', `cannot read ${path}: ${error.message}`, { path });
}

function refuseSize(path: string, limit: number): never {
  throw new PlimsollError('TOO_LARGE', `${path} is larger than ${limit} bytes`, { path });
}

async function readStandardInput(limit: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece as Buffer);
    size += (piece as Buffer).length;
    if (size > limit) refuseSize('standard input', limit);
  }
  return Buffer.concat(pieces);
}

/** A JSON file through a reader; errors name the file. */
export async function readDocument<T>(path: string, read: (value: unknown) => T): Promise<T> {
  const bytes = await readBytes(path, LIMITS.marketBodyBytesMax);
  const plain = inFile(path, () => gunzipped(path, bytes));
  refuseMark(plain, path === '-' ? 'standard input' : path);
  return inFile(path, () => read(parseJson(decodeText(plain))));
}

function gunzipped(path: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: LIMITS.marketBodyBytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      refuseSize(path, LIMITS.marketBodyBytesMax);
    }
    throw new PlimsollError('MALFORMED_JSON', `cannot be gunzipped: ${(error as Error).message}`);
  }
}

function inFile<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    const { code, message, path, account } = error;
    throw new PlimsollError(code, `${name}: ${message}`, { path, account });
  }
}

/** @throws USAGE without files, NOT_FOUND, and what `readMarketTexts` throws */
export async function readMarket({ market = [], at }: MarketOptions): Promise<MarketSnapshot> {
  if (market.length === 0) {
    throw new PlimsollError('USAGE', 'no market: give --market FILE', { path: 'market' });
  }
  const files: { name: string; bytes: Uint8Array }[] = [];
  for (const path of market) {
    const name = path === '-' ? 'standard input' : path;
    const bytes = await readBytes(path, LIMITS.marketBodyBytesMax);
    refuseMarkedJson(bytes, name);
    files.push({ name, bytes });
  }
  return readMarketTexts(files, at === undefined ? {} : { at });
}

/** A file's factor model, or the one that the market implies, its assumptions told. */
export async function readFactors(
  source: string,
  market: MarketSnapshot,
  terminal: Terminal,
): Promise<FactorModel> {
  if (source !== 'implied') return readDocument(source, readFactorModel);
  const { model, assumptions } = impliedFactorModel(market);
  terminal.note('factors implied by the market:');
  for (const sentence of assumptions) terminal.note(`  - ${sentence}`);
  return model;
}

/** All history files as one, joined by date; null where none is named. */
export async function readHistories(options: ModelOptions): Promise<History | null> {
  const { history = [], impliedHistory = [], impliedUnit, impliedValue } = options;
  const implied: HistoryLayout = {
    factor: 'vol',
    ...(impliedUnit === undefined ? {} : { unit: impliedUnit }),
    ...(impliedValue === undefined ? {} : { valueColumn: impliedValue }),
  };
  const histories: History[] = [];
  const add = async (path: string, layout: HistoryLayout): Promise<void> => {
    const bytes = await readBytes(path, LIMITS.marketBodyBytesMax);
    histories.push(await readHistory(bytes, path === '-' ? 'standard input' : path, layout));
  };
  for (const path of history) await add(path, {});
  for (const path of impliedHistory) await add(path, implied);
  return histories.length === 0 ? null : joinHistories(histories);
}

/** The methodology file with what the command line states over it. */
export async function readMethod(
  options: ModelOptions & ScenarioOptions & { readonly model?: string },
): Promise<MethodologyInput> {
  const { scenarios, seed, confidence, horizon, model } = options;
  const base =
    options.methodology === undefined
      ? {}
      : isPreset(options.methodology)
        ? readMethodology(options.methodology)
        : await readDocument(options.methodology, readMethodology);
  const stated = {
    ...(scenarios === undefined ? {} : { scenarios }),
    ...(seed === undefined ? {} : { seed }),
    ...(confidence === undefined ? {} : { confidence }),
    ...(horizon === undefined ? {} : { horizonDays: horizon }),
    ...(model === undefined ? {} : { scenarioModel: model }),
  };
  return readMethodology({ ...base, ...stated });
}

/** The files that the options name as inputs; `implied` factors are none. */
export function inputsOf(options: ModelOptions): string[] {
  const { market = [], factors, history = [], impliedHistory = [], methodology } = options;
  const file = methodology !== undefined && isPreset(methodology) ? undefined : methodology;
  const single = [factors === 'implied' ? undefined : factors, file];
  const named = single.filter((path) => path !== undefined);
  return [...market, ...history, ...impliedHistory, ...named];
}

/** Standard input can be read only once. @throws USAGE */
export function refuseSharedInput(inputs: readonly string[]): void {
  if (inputs.filter((path) => path === '-').length <= 1) return;
  throw new PlimsollError('USAGE', 'only one input can be standard input (-)');
}

/**
 * Results must not take the place of what they were made from, by whatever name or link. Devices and pipes hold nothing to lose.
 * @param option the option that names the output
 * @throws USAGE
 */
export function refuseOverwriting(
  output: string | undefined,
  inputs: readonly string[],
  option = 'out',
): void {
  const target = output === undefined ? null : realFile(output);
  const lost = target === null ? undefined : inputs.find((path) => realFile(path) === target);
  if (lost === undefined) return;
  const message = `--${option} would overwrite the input ${lost}: write to another file`;
  throw new PlimsollError('USAGE', message, { path: option });
}

/** The one true path of a file that is there; null for `-`, devices, pipes and what is absent (its reader or writer says so). */
function realFile(path: string): string | null {
  if (path === '-') return null;
  try {
    return statSync(path).isFile() ? realpathSync.native(path) : null;
  } catch {
    return null;
  }
}
