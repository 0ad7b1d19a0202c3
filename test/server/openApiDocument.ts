/** The parts of an OpenAPI document that tests look at, and ways through it. */

export type Json = Record<string, unknown>;
export interface Media {
  readonly schema: Json;
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}
export interface Response {
  readonly $ref?: string;
  readonly headers?: Record<string, { readonly schema: Json }>;
  readonly content?: Record<string, Media>;
}
export interface Operation extends Json {
  readonly summary?: string;
  readonly parameters?: readonly { readonly schema: Json }[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, Response>;
}
export interface Document extends Json {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, Json>;
    readonly responses: Record<string, Response>;
  };
}
/** Every object of a document. */
export function* objectsIn(node: unknown): Generator<Json> {
  if (node === null || typeof node !== 'object') return;
  if (!Array.isArray(node)) yield node as Json;
  for (const value of Object.values(node)) yield* objectsIn(value);
}

export const operationsOf = ({ paths }: Document): Operation[] =>
  Object.values(paths).flatMap((operations) => Object.values(operations));

export const responseOf = ({ $ref, ...inline }: Response, { components }: Document): Response =>
  $ref === undefined ? inline : components.responses[$ref.split('/').at(-1)!]!;

/** A schema of the document that stands by itself: its references lead into `$defs`. */
export function standalone(schema: Json, { components }: Document): Json {
  const moved = JSON.stringify({ ...schema, $defs: components.schemas });
  return JSON.parse(moved.replaceAll('#/components/schemas/', '#/$defs/')) as Json;
}

/** Where the document holds schemas, and all of them. */
export function schemasOf(document: Document): Json[] {
  const { components } = document;
  const responses = [
    ...Object.values(components.responses),
    ...operationsOf(document).flatMap((operation) => Object.values(operation.responses)),
  ];
  const media = [
    ...responses.flatMap(({ content }) => Object.values(content ?? {})),
    ...operationsOf(document).flatMap(({ requestBody }) =>
      Object.values(requestBody?.content ?? {}),
    ),
  ];
  return [
    ...Object.values(components.schemas),
    ...media.map(({ schema }) => schema),
    ...responses.flatMap(({ headers }) => Object.values(headers ?? {})).map(({ schema }) => schema),
    ...operationsOf(document).flatMap(({ parameters = [] }) =>
      parameters.map(({ schema }) => schema),
    ),
  ];
}
