/** The parameters of a methodology one by one: value, default, range and meaning, as its schema states them. */
import { canonicalJson } from '../json.ts';
import { type Methodology, MethodologySchema } from '../margin/methodology.ts';

export interface MethodologyParameter {
  /** `stress.weight`. */
  readonly path: string;
  readonly value: unknown;
  /** What it is where nothing is stated. */
  readonly default: unknown;
  /** Of numbers: `0 … 1`; of names: the choices. */
  readonly range: string;
  readonly description: string;
}

interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/**
 * In the order of the schema.
 * @param standard what a methodology that states nothing is
 */
export function methodologyParameters(
  methodology: Methodology,
  standard: Methodology,
): MethodologyParameter[] {
  return leaves(MethodologySchema as unknown as Schema, methodology, standard, '');
}

/** Those that have another value in another methodology. */
export function differingParameters(
  methodology: Methodology,
  other: Methodology,
): { readonly path: string; readonly value: unknown; readonly other: unknown }[] {
  const others = new Map(
    methodologyParameters(other, other).map(({ path, value }) => [path, value]),
  );
  return methodologyParameters(methodology, methodology)
    .map(({ path, value }) => ({ path, value, other: others.get(path) }))
    .filter(({ value, other: theirs }) => canonicalJson(value) !== canonicalJson(theirs));
}

function leaves(
  schema: Schema,
  value: unknown,
  standard: unknown,
  prefix: string,
): MethodologyParameter[] {
  return Object.entries(schema.properties!).flatMap(([name, one]) => {
    const path = `${prefix}${name}`;
    const own = (value as Record<string, unknown>)[name];
    const usual = (standard as Record<string, unknown>)[name];
    // A stress library is a document of its own, not a group of parameters.
    if (one.properties !== undefined && one.title === undefined) {
      return leaves(one, own, usual, `${path}.`);
    }
    const description = one.description ?? '';
    return [{ path, value: own, default: usual, range: rangeOf(one), description }];
  });
}

function rangeOf({ type, items, ...schema }: Schema): string {
  if (items?.enum !== undefined) return `any of ${items.enum.join(', ')}`;
  if (schema.enum !== undefined) return schema.enum.join(', ');
  if (type === 'boolean') return 'true, false';
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const low = exclusiveMinimum === undefined ? minimum : `> ${exclusiveMinimum}`;
  const high = exclusiveMaximum === undefined ? maximum : `< ${exclusiveMaximum}`;
  if (low === undefined && high === undefined) return '';
  return `${low ?? ''} … ${high ?? ''}`;
}
