/** Jumps of a factor model (Merton 1976): how often, how large, and which factors take part. */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { type FactorId, parseFactorId } from './factorIds.ts';

const strict = { additionalProperties: false } as const;
const { jumpIntensityMax, jumpLoadingMax, jumpSizeMax } = LIMITS;

const size = {
  intensity: Type.Number({
    exclusiveMinimum: 0,
    maximum: jumpIntensityMax,
    description: 'jumps to expect in a year',
  }),
  mean: Type.Number({
    minimum: -jumpSizeMax,
    maximum: jumpSizeMax,
    description: 'mean of one jump of the log spot',
  }),
  volatility: Type.Number({
    minimum: 0,
    maximum: jumpSizeMax,
    description: 'standard deviation of one jump of the log spot',
  }),
  volJump: Type.Optional(
    Type.Number({
      minimum: -jumpLoadingMax,
      maximum: jumpLoadingMax,
      description:
        'log-change of the vol factor for each unit of log spot jump: −1.5 lifts it by 0.3 where the spot jumps by −0.2. Default 0',
    }),
  ),
};

const name = Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax });

export const JumpsSchema = Type.Object(
  {
    common: Type.Optional(
      Type.Object(
        {
          ...size,
          loadings: Type.Optional(
            Type.Record(name, Type.Number({ minimum: -jumpLoadingMax, maximum: jumpLoadingMax }), {
              description:
                'share of the jump that a factor takes, by factor id. Default: 1 for log spots, volJump for vols, 0 for the rest',
            }),
          ),
        },
        { ...strict, description: 'jumps that all underlyings make at once' },
      ),
    ),
    idiosyncratic: Type.Optional(
      Type.Record(name, Type.Object(size, strict), {
        description: 'jumps of one underlying, by its id; `*` is those of every other log spot',
      }),
    ),
  },
  { ...strict, description: 'jumps on top of the gaussian or student-t moves (jump-diffusion)' },
);

export type Jumps = Static<typeof JumpsSchema>;
type JumpSize = NonNullable<Jumps['idiosyncratic']>[string];

/** Jumps at the events of one Poisson process. Structured-clonable. */
export interface JumpProcess {
  /** Jumps to expect in a year, and mean and standard deviation of one. */
  readonly intensity: number;
  readonly mean: number;
  readonly volatility: number;
  readonly periodsPerYear: number;
  /** The factor whose streams it is drawn from; −1 for the common one. */
  readonly factor: number;
  /** Factors that move by loading × jump. */
  readonly loads: readonly { readonly factor: number; readonly loading: number }[];
}

/** What of the factors the jumps need; arrays in the order of the factors. */
interface JumpingFactors {
  readonly ids: readonly string[];
  /** 0 log, 1 absolute. */
  readonly kind: Uint8Array;
  readonly periodsPerYear: Float64Array;
  readonly modelPeriods: number;
}

/**
 * The jump processes of a model, the common one first, then one an underlying in the order of the spot factors.
 * @throws INVALID_FIELD for `{}`, or a name that is no factor (loadings) or no underlying with a log spot (idiosyncratic)
 */
export function compileJumps(jumps: Jumps, factors: JumpingFactors): readonly JumpProcess[] {
  const named = factors.ids.map((id) => parseFactorId(id));
  const processes = [commonJumps(jumps.common, factors, named), ownJumps(jumps, factors, named)];
  const found = processes.flat();
  if (found.length > 0) return found;
  return fail('jumps', 'names no jump of any factor: give `common` or `idiosyncratic`');
}

function commonJumps(
  common: Jumps['common'],
  factors: JumpingFactors,
  named: readonly FactorId[],
): readonly JumpProcess[] {
  if (common === undefined) return [];
  const { intensity, mean, volatility, volJump = 0, loadings = {} } = common;
  for (const id of Object.keys(loadings)) {
    if (!factors.ids.includes(id)) fail(`jumps.common.loadings.${id}`, 'is not a factor');
  }
  const usual = ({ type }: FactorId, f: number): number => {
    if (factors.kind[f] === 1) return 0;
    return type === 'spot' ? 1 : type === 'vol' ? volJump : 0;
  };
  const loads = named
    .map((factor, f) => ({ factor: f, loading: loadings[factors.ids[f]!] ?? usual(factor, f) }))
    .filter(({ loading }) => loading !== 0);
  const periodsPerYear = factors.modelPeriods;
  return [{ intensity, mean, volatility, periodsPerYear, factor: -1, loads }];
}

function ownJumps(
  { idiosyncratic = {} }: Jumps,
  factors: JumpingFactors,
  named: readonly FactorId[],
): readonly JumpProcess[] {
  const spots = named.flatMap(({ underlying, type }, f) =>
    type === 'spot' && factors.kind[f] === 0 ? [{ underlying, f }] : [],
  );
  for (const id of Object.keys(idiosyncratic)) {
    if (id === '*' || spots.some(({ underlying }) => underlying === id)) continue;
    fail(`jumps.idiosyncratic.${id}`, 'is not an underlying with a log spot factor');
  }
  return spots.flatMap(({ underlying, f }): JumpProcess[] => {
    // Own members only: an underlying may be called `constructor`.
    const key = Object.hasOwn(idiosyncratic, underlying) ? underlying : '*';
    const own: JumpSize | undefined = idiosyncratic[key];
    if (own === undefined) return [];
    const { intensity, mean, volatility, volJump = 0 } = own;
    const vol = named.findIndex((id) => id.type === 'vol' && id.underlying === underlying);
    const loads = [{ factor: f, loading: 1 }];
    if (vol !== -1 && volJump !== 0 && factors.kind[vol] === 0) {
      loads.push({ factor: vol, loading: volJump });
    }
    const periodsPerYear = factors.periodsPerYear[f]!;
    return [{ intensity, mean, volatility, periodsPerYear, factor: f, loads }];
  });
}

function fail(path: string, text: string): never {
  throw new PlimsollError('INVALID_FIELD', `${path} ${text}`, { path });
}
