/**
 * One door for every shape that enters: a TypeBox schema becomes a compiled check whose failure is a typed error
 * that names the field. Nothing is coerced, dropped or defaulted here.
 */
import type { Static, TSchema } from 'typebox';
// Of a schema alone: `typebox/compile` is the same check, and takes twice as long to load for conversions that nothing here uses.
import { Compile } from 'typebox/schema';
import { type ErrorCode, PlimsollError } from './errors.ts';

/** A check that returns the value with its type, or throws. */
export type Reader<T> = (value: unknown, place?: { account?: string; prefix?: string }) => T;

/** `/positions/3/size` as `positions[3].size`. */
export function fieldPath(pointer: string, prefix = ''): string {
  let path = prefix;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(name)) path += `[${name}]`;
    else path += path === '' ? name : `.${name}`;
  }
  return path;
}

/** The value at a JSON pointer, for messages. */
function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return value;
}

/** A short rendering of an offending value: `"abc"`, `NaN`, `an array of 3`. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value !== null && typeof value === 'object') return 'an object';
  return String(value);
}

interface Violation {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: Record<string, unknown>;
}

function raise(
  value: unknown,
  violations: readonly Violation[],
  place: { account?: string; prefix?: string },
): never {
  // `boolean` is the echo of an additional property, `const` of a union's branches: the later ones say more.
  const first =
    violations.find((v) => v.keyword === 'additionalProperties' || v.keyword === 'required') ??
    violations.findLast((v) => v.keyword === 'anyOf') ??
    violations.find((v) => v.keyword !== 'boolean') ??
    violations[0]!;
  const fail = (code: ErrorCode, pointer: string, text: string): never => {
    const path = fieldPath(pointer, place.prefix);
    const subject = path === '' ? 'the value' : path;
    throw new PlimsollError(code, `${subject} ${text}`, { path, account: place.account });
  };
  if (first.keyword === 'additionalProperties') {
    const name = String((first.params.additionalProperties as string[])[0]);
    return fail('UNKNOWN_FIELD', `${first.instancePath}/${name}`, 'is not a field of the contract');
  }
  if (first.keyword === 'required') {
    const name = String((first.params.requiredProperties as string[])[0]);
    return fail('MISSING_FIELD', `${first.instancePath}/${name}`, 'is required');
  }
  const got = show(valueAt(value, first.instancePath));
  const allowed = first.params.allowedValues;
  const choices = Array.isArray(allowed) ? ` (${allowed.map(String).join(', ')})` : '';
  return fail('INVALID_FIELD', first.instancePath, `${first.message}${choices}, got ${got}`);
}

/** Compiles a schema when it is first needed, and once: a program meets few of them, and a worker hardly any. */
export function reader<S extends TSchema>(schema: S): Reader<Static<S>> {
  let compiled: { Check(value: unknown): boolean; Errors(value: unknown): [boolean, unknown] };
  return (value, place = {}) => {
    compiled ??= Compile(schema);
    if (compiled.Check(value)) return value as Static<S>;
    return raise(value, compiled.Errors(value)[1] as Violation[], place);
  };
}
