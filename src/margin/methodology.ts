/**
 * The methodology as data. A caller names a preset or states what differs from one; `resolveMethodology` fills in the rest, and the hash
 * of the filled form is what a result cites.
 */
import { PlimsollError } from '../errors.ts';
import { hashOf } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { SurfaceModel } from '../market/surface.ts';
import type { ScenarioModel } from '../scenarios/scenarioSet.ts';
import type { ScenarioParameters } from '../scenarios/source.ts';
import type { StressLibrary } from '../scenarios/stress/schema.ts';
import { type Reader, reader, show } from '../schema.ts';
import type { SmileRule } from '../valuation/plan.ts';
import { checkMethodology } from './methodologyChecks.ts';
import {
  COMPONENT_NAMES,
  type ComponentName,
  type MethodologyInput,
  MethodologySchema,
  PRESET_NAMES,
  type PresetName,
  type VOLATILITY_ESTIMATES,
} from './methodologySchema.ts';

export { type MethodologyInput, MethodologySchema } from './methodologySchema.ts';

/** Every parameter stated. */
export interface Methodology {
  readonly name: string;
  readonly version: string;
  readonly preset: PresetName;
  readonly scenarioModel: ScenarioModel;
  readonly confidence: number;
  readonly horizonDays: number;
  /** 0 where the history says. */
  readonly scenarios: number;
  readonly seed: string;
  readonly maxLogShock: number;
  readonly instantaneous: boolean;
  readonly smileRule: SmileRule;
  readonly surfaceModel: SurfaceModel;
  readonly filtered: { readonly lambda: number; readonly residuals: number };
  readonly volatilities: {
    readonly estimate: (typeof VOLATILITY_ESTIMATES)[number];
    /** `HH:MM`, UTC. */
    readonly instants: readonly string[];
    readonly lambda: number;
  };
  readonly components: readonly ComponentName[];
  readonly stress: { readonly weight: number; readonly library: StressLibrary };
  readonly dependence: { readonly weight: number };
  readonly liquidity: { readonly impact: number; readonly vegaSpread: number };
  readonly concentration: { readonly participation: number };
  readonly basis: { readonly least: number; readonly slope: number };
  readonly shortOptionMinimum: { readonly share: number };
  readonly oracle: { readonly threshold: number; readonly share: number };
  readonly depeg: {
    readonly threshold: number;
    readonly factor: number;
    readonly assets: readonly string[];
  };
  readonly openOrders: { readonly feeRate: number };
  readonly antiProcyclicality: {
    readonly buffer: boolean;
    readonly stressed: boolean;
    readonly longRunFloor: boolean;
    readonly stressedRows: number;
  };
  readonly mmFactor: number;
  readonly floor: number;
  readonly haircuts: Readonly<Record<string, number>>;
  readonly warningLevel: number;
  readonly releaseLevel: number;
}

export const DEFAULT_SCENARIOS = 10_240;

type PresetParameters = Omit<Methodology, 'scenarioModel' | 'scenarios' | 'preset'>;

/** METHODOLOGY section 5: round-the-clock markets, one day, 99%. */
const EXCHANGE_CRYPTO: PresetParameters = {
  name: 'exchange-crypto',
  version: '1',
  confidence: 0.99,
  horizonDays: 1,
  seed: 'plimsoll',
  maxLogShock: LIMITS.maxLogShock,
  instantaneous: false,
  smileRule: 'sticky-strike',
  surfaceModel: 'quotes',
  filtered: { lambda: 0.97, residuals: 500 },
  volatilities: { estimate: 'fixed', instants: ['00:00'], lambda: 0.94 },
  components: COMPONENT_NAMES,
  stress: { weight: 0.25, library: {} },
  dependence: { weight: 0.25 },
  liquidity: { impact: 1, vegaSpread: 0.02 },
  concentration: { participation: 0.1 },
  basis: { least: 0.01, slope: 0.075 },
  shortOptionMinimum: { share: 0.005 },
  oracle: { threshold: 0.95, share: 1 },
  depeg: { threshold: 0.99, factor: 4, assets: ['USDT', 'USDC'] },
  openOrders: { feeRate: 0.0005 },
  antiProcyclicality: { buffer: false, stressed: false, longRunFloor: false, stressedRows: 250 },
  mmFactor: 0.8,
  floor: 0,
  haircuts: { '*': 0.15, BTC: 0.05, ETH: 0.05, USDC: 0.01, USDT: 0.01 },
  warningLevel: 1.25,
  releaseLevel: 1.05,
};

export const PRESETS: Readonly<Record<PresetName, PresetParameters>> = {
  'exchange-crypto': EXCHANGE_CRYPTO,
  // EMIR RTS 153/2013: 99% for listed derivatives (art. 24), two days (art. 26), the three measures of article 28.
  'clearing-listed': {
    ...EXCHANGE_CRYPTO,
    name: 'clearing-listed',
    horizonDays: 2,
    antiProcyclicality: { buffer: true, stressed: true, longRunFloor: true, stressedRows: 250 },
    haircuts: { '*': 0.15 },
  },
  // Expected shortfall and nothing else: VaR studies, benchmarks, comparisons with other systems.
  'market-risk': { ...EXCHANGE_CRYPTO, name: 'market-risk', components: ['marketRisk'] },
};

const readObject = reader(MethodologySchema);

export function isPreset(name: string): name is PresetName {
  return (PRESET_NAMES as readonly string[]).includes(name);
}

/**
 * A methodology document: an object, or the name of a preset.
 * @throws INVALID_FIELD, UNKNOWN_FIELD with the path
 */
export function readMethodology(
  value: unknown,
  place: Parameters<Reader<unknown>>[1] = {},
): MethodologyInput {
  if (typeof value !== 'string') return readObject(value, place);
  if (isPreset(value)) return { preset: value };
  throw new PlimsollError(
    'INVALID_FIELD',
    `there is no methodology called ${show(value)}; there are ${PRESET_NAMES.join(', ')}`,
    { path: place.prefix ?? 'methodology' },
  );
}

/**
 * Fills in the defaults.
 * @param heavyTailed whether the factor model states degrees of freedom
 * @throws INVALID_SCENARIO_COUNT, also when `historical` is given a number of scenarios; INVALID_FIELD for parameters that do not fit
 * each other
 */
export function resolveMethodology(input: MethodologyInput, heavyTailed: boolean): Methodology {
  const scenarioModel = input.scenarioModel ?? (heavyTailed ? 'student-t' : 'gaussian');
  if ((scenarioModel === 'student-t' || scenarioModel === 't-copula') && !heavyTailed) {
    throw new PlimsollError(
      'MISSING_FIELD',
      `${scenarioModel} needs degreesOfFreedom in the factor model`,
      { path: 'degreesOfFreedom' },
    );
  }
  const preset = input.preset ?? 'exchange-crypto';
  const base = PRESETS[preset];
  const own = Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined),
  ) as MethodologyInput;
  const charged = new Set<string>(own.components ?? base.components);
  const volatilities = { ...base.volatilities, ...own.volatilities };
  const resolved = {
    ...base,
    ...own,
    preset,
    scenarioModel,
    scenarios: scenarioCount(input.scenarios, scenarioModel),
    seed: String(own.seed ?? base.seed),
    filtered: { ...base.filtered, ...own.filtered },
    // One order whatever the caller's: equal methodologies have equal hashes.
    volatilities: { ...volatilities, instants: [...volatilities.instants].sort() },
    components: COMPONENT_NAMES.filter((name) => charged.has(name)),
    stress: { ...base.stress, ...own.stress },
    dependence: { ...base.dependence, ...own.dependence },
    liquidity: { ...base.liquidity, ...own.liquidity },
    concentration: { ...base.concentration, ...own.concentration },
    basis: { ...base.basis, ...own.basis },
    shortOptionMinimum: { ...base.shortOptionMinimum, ...own.shortOptionMinimum },
    oracle: { ...base.oracle, ...own.oracle },
    depeg: { ...base.depeg, ...own.depeg },
    openOrders: { ...base.openOrders, ...own.openOrders },
    antiProcyclicality: { ...base.antiProcyclicality, ...own.antiProcyclicality },
    haircuts: { ...base.haircuts, ...own.haircuts },
  };
  checkMethodology(resolved);
  return resolved;
}

function scenarioCount(asked: number | undefined, model: ScenarioModel): number {
  if (model === 'historical') {
    if (asked === undefined) return 0;
    throw new PlimsollError(
      'INVALID_SCENARIO_COUNT',
      `historical takes its number of scenarios from the history; ${asked} was asked for`,
      { path: 'scenarios' },
    );
  }
  if (model === 'filtered-historical' && asked === undefined) return 0;
  const scenarios = asked ?? DEFAULT_SCENARIOS;
  const { scenariosMin, scenariosMax } = LIMITS;
  if (!Number.isInteger(scenarios) || scenarios < scenariosMin || scenarios > scenariosMax) {
    throw new PlimsollError(
      'INVALID_SCENARIO_COUNT',
      `scenarios must be a whole number from ${scenariosMin} to ${scenariosMax}, got ${scenarios}`,
      { path: 'scenarios' },
    );
  }
  return scenarios;
}

export function methodologyHash(methodology: Methodology): string {
  return hashOf(methodology);
}

/** What the methodology says of scenarios, as their source reads it. */
export function scenarioParameters(methodology: Methodology): ScenarioParameters {
  const { filtered, scenarioModel, horizonDays, scenarios, seed, maxLogShock } = methodology;
  return { scenarioModel, horizonDays, scenarios, seed, maxLogShock, ...filtered };
}
