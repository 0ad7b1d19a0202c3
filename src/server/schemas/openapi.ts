/** From what the framework collects of the routes to a document that keeps to OpenAPI 3.1. */
import { isDeepStrictEqual } from 'node:util';
import { ensure } from '../../errors.ts';
import { COMMON_STATUSES, PROBLEM_RESPONSES, type ProblemStatus } from './problem.ts';

type Json = Record<string, unknown>;
type Operation = Json & { readonly responses: Json };

/** @param document an OpenAPI object whose schemas stand where they are used */
export function openApiDocument(document: Json): Json {
  return hoistTitled(asDialect(shareProblems(document)) as Json);
}

/**
 * Schemas in the dialect of OpenAPI 3.1, JSON Schema 2020-12: TypeBox writes a tuple as an array of `items` closed by
 * `additionalItems`, which that dialect calls `prefixItems` and `items` (Core, 10.3.1).
 */
export function asDialect(node: unknown): unknown {
  const copy = mapped(node, asDialect);
  if (!isObject(copy) || !Array.isArray(copy.items)) return copy;
  const { items: prefixItems, additionalItems, ...rest } = copy;
  return {
    ...rest,
    prefixItems,
    ...(additionalItems === undefined ? {} : { items: additionalItems }),
  };
}

/** Schemas with a title become components of that name, each written once. */
export function hoistTitled(document: Json): Json {
  const schemas: Json = {};
  const visit = (node: unknown): unknown => {
    const copy = mapped(node, visit);
    if (!isObject(copy)) return copy;
    const { title, type } = copy;
    if (typeof title !== 'string' || type !== 'object') return copy;
    const same = schemas[title] === undefined || isDeepStrictEqual(schemas[title], copy);
    ensure(same, `two schemas are called ${title}`);
    schemas[title] = copy;
    return { $ref: `#/components/schemas/${title}` };
  };
  const { components, ...visited } = visit(document) as Json;
  return { ...visited, components: { ...(components as Json | undefined), schemas } };
}

/** Each operation refers to the problems it can answer with; they are written once, as components. */
function shareProblems(document: Json): Json {
  const paths = Object.entries(document.paths as Record<string, Record<string, Operation>>);
  const responses = Object.values(PROBLEM_RESPONSES).map(({ name, ...rest }) => [name, rest]);
  return {
    ...document,
    paths: Object.fromEntries(
      paths.map(([path, operations]) => [
        path,
        Object.fromEntries(
          Object.entries(operations).map(([method, { responses, ...rest }]) => [
            method,
            { ...rest, responses: shared(responses) },
          ]),
        ),
      ]),
    ),
    components: {
      ...(document.components as Json | undefined),
      responses: Object.fromEntries(responses),
    },
  };
}

function shared(responses: Json): Json {
  const { 200: success, ...problems } = responses;
  const statuses = new Set<string>([...Object.keys(problems), ...COMMON_STATUSES.map(String)]);
  const references = [...statuses].map((status) => {
    const response = PROBLEM_RESPONSES[status as unknown as ProblemStatus];
    ensure(response !== undefined, `no problem is described for status ${status}`);
    return [status, { $ref: `#/components/responses/${response.name}` }];
  });
  return { 200: success, ...Object.fromEntries(references) };
}

/** A copy of a node with its children replaced; examples look like anything, schemas too, and stay as they are. */
function mapped(node: unknown, visit: (child: unknown) => unknown): unknown {
  if (Array.isArray(node)) return node.map(visit);
  if (!isObject(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === 'example' || key === 'examples' ? value : visit(value),
    ]),
  );
}

function isObject(node: unknown): node is Json {
  return node !== null && typeof node === 'object' && !Array.isArray(node);
}
