/** `plimsoll methodology`: every parameter of a methodology, and what is different in another. */
import {
  isPreset,
  type Methodology,
  type MethodologyInput,
  methodologyHash,
  readMethodology,
  resolveMethodology,
} from '../../margin/methodology.ts';
import { readFactorModel } from '../../market/factorModel.ts';
import { EXIT } from '../exitCodes.ts';
import { readDocument, readMethod, refuseSharedInput } from '../inputs.ts';
import { differingParameters, methodologyParameters } from '../methodologyParameters.ts';
import type { ModelOptions, ScenarioOptions } from '../options.ts';
import { methodologyTable } from '../output/methodologyTable.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface MethodologyOptions extends ModelOptions, ScenarioOptions, CommonOptions {
  readonly model?: string;
  readonly diff?: string;
}

/** Its document with `--json`. */
export interface MethodologyAnswer {
  readonly name: string;
  readonly version: string;
  readonly preset: string;
  /** What results computed with it cite. */
  readonly hash: string;
  readonly parameters: ReturnType<typeof methodologyParameters>;
  readonly difference?: {
    readonly name: string;
    readonly hash: string;
    readonly parameters: ReturnType<typeof differingParameters>;
  };
}

export async function runMethodology(
  options: MethodologyOptions,
  terminal: Terminal,
): Promise<number> {
  const { methodology, diff, factors } = options;
  const files = [methodology, diff].filter((name) => name !== undefined && !isPreset(name));
  refuseSharedInput([...files, factors].filter((path) => path !== undefined));
  const heavyTailed = await isHeavyTailed(factors);
  const resolved = resolve(await readMethod(options), heavyTailed);
  const answer: MethodologyAnswer = {
    ...identity(resolved),
    version: resolved.version,
    preset: resolved.preset,
    parameters: methodologyParameters(resolved, resolve({}, heavyTailed)),
    ...(diff === undefined ? {} : { difference: await differenceTo(diff, resolved, heavyTailed) }),
  };
  if (factors === undefined) {
    terminal.note('without --factors: as for a factor model that states no degreesOfFreedom');
  }
  if (terminal.json) await terminal.document(answer);
  else await terminal.write(methodologyTable(answer));
  return EXIT.ok;
}

function identity(methodology: Methodology): { readonly name: string; readonly hash: string } {
  return { name: methodology.name, hash: methodologyHash(methodology) };
}

/** The scenario model's default depends on the factor model; null where there is none. */
async function isHeavyTailed(factors: string | undefined): Promise<boolean | null> {
  if (factors === undefined) return null;
  const { degreesOfFreedom } = await readDocument(factors, readFactorModel);
  return degreesOfFreedom !== undefined;
}

/** Without a factor model, a scenario model that needs heavy tails is believed to have them. */
function resolve(input: MethodologyInput, heavyTailed: boolean | null): Methodology {
  const { scenarioModel } = input;
  const stated = scenarioModel === 'student-t' || scenarioModel === 't-copula';
  return resolveMethodology(input, heavyTailed ?? stated);
}

async function differenceTo(name: string, resolved: Methodology, heavyTailed: boolean | null) {
  const input: MethodologyInput = isPreset(name)
    ? readMethodology(name)
    : await readDocument(name, readMethodology);
  const other = resolve(input, heavyTailed);
  return { ...identity(other), parameters: differingParameters(resolved, other) };
}
