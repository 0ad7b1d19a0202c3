/** The habits that a machine can check: sizes, import directions, READMEs, banned calls, the forms of errors. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return [path];
  });
}

const sources = ['src', 'workers', 'bench']
  .flatMap(filesBelow)
  .filter((path) => path.endsWith('.ts'));
const tests = filesBelow('test').filter((path) => path.endsWith('.ts'));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Imports run one way: a layer may import those that stand after it. */
const LAYERS = [
  ['cli', 'server', 'dashboard'],
  ['book'],
  ['engine'],
  ['margin'],
  ['risk'],
  ['valuation'],
  ['scenarios'],
  ['feeds'],
  ['market'],
] as const;
/** What every layer may import. */
const BASE = ['columns.ts', 'errors.ts', 'limits.ts', 'schema.ts', 'json.ts', 'numerics.ts'];

function layerOf(path: string): number {
  return LAYERS.findIndex((names) => names.some((name) => path.startsWith(`src/${name}/`)));
}

function importsOf(path: string): string[] {
  const found = [...read(path).matchAll(/(?:from|import)\s+'(\.[^']+)'/g)].map(
    (match) => match[1]!,
  );
  return found.map((target) => relative(root, resolve(root, dirname(path), target)));
}

describe('the tree is tidy', () => {
  it('files are at most 400 lines, tables excepted', () => {
    const tables = new Set(['workers/kernels/ziggurat.ts']);
    const long = [...sources, ...tests].filter(
      (path) => !tables.has(path) && read(path).split('\n').length > 400,
    );
    expect(long).toEqual([]);
  });

  it('lines are at most 160 characters, long texts excepted', () => {
    const wide = [...sources, ...tests].flatMap((path) =>
      read(path)
        .split('\n')
        .flatMap((line, i) =>
          line.length > 160 && !/^['`"/]/.test(line.trim()) ? [`${path}:${i + 1}`] : [],
        ),
    );
    expect(wide).toEqual([]);
  });

  it('imports run one way', () => {
    const wrong = sources
      .filter((path) => path.startsWith('src/'))
      .flatMap((path) => {
        const from = layerOf(path);
        return importsOf(path)
          .filter((target) => target.startsWith('src/'))
          .filter((target) => {
            if (BASE.includes(target.slice(4))) return false;
            const to = layerOf(target);
            return from !== -1 && (to === -1 || to < from);
          })
          .map((target) => `${path} imports ${target}`);
      });
    expect(wrong).toEqual([]);
  });

  it('kernels import nothing but each other, and only their door is imported', () => {
    const kernels = sources.filter((path) => path.startsWith('workers/kernels/'));
    const outward = kernels.flatMap((path) =>
      importsOf(path)
        .filter((target) => !target.startsWith('workers/kernels/'))
        .map((target) => `${path} → ${target}`),
    );
    const inward = [...sources, ...tests]
      .filter((path) => !path.startsWith('workers/kernels/'))
      .flatMap((path) =>
        importsOf(path)
          .filter((t) => t.startsWith('workers/kernels/'))
          .map((t) => `${path} → ${t}`),
      );
    expect([...outward, ...inward]).toEqual([]);
  });

  it('each folder says what comes in and what goes out', () => {
    const folders = [
      'src',
      'workers/kernels',
      'bench',
      ...readdirSync(join(root, 'src')).map((name) => join('src', name)),
    ];
    const bare = folders.filter(
      (path) =>
        statSync(join(root, path)).isDirectory() && !existsSync(join(root, path, 'README.md')),
    );
    expect(bare).toEqual([]);
  });

  it('nothing whose bits matter calls functions that engines round differently', () => {
    const banned =
      /Math\.(exp|log|log2|log10|log1p|expm1|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|cbrt|hypot)\b/;
    // What only people look at may: tables, plots, the page.
    const display = ['src/cli/', 'src/dashboard/', 'src/server/', 'bench/'];
    const calls = sources
      .filter((path) => !display.some((folder) => path.startsWith(folder)))
      .flatMap((path) =>
        read(path)
          .split('\n')
          .flatMap((line, i) =>
            banned.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line) ? [`${path}:${i + 1}`] : [],
          ),
      );
    expect(calls).toEqual([]);
  });

  it('margin and risk are pure: no clock, no I/O, no randomness', () => {
    const impure =
      /node:(fs|net|http|child_process|worker_threads)|Date\.now|new Date\(\)|Math\.random|process\./;
    const found = sources.filter(
      (path) => /^src\/(margin|risk)\//.test(path) && impure.test(read(path)),
    );
    expect(found).toEqual([]);
  });

  it('there is no `any`, no silenced check, no reminder left', () => {
    const marks = new RegExp(
      [
        '\\bas any\\b',
        ': any\\b',
        'biome-ignore',
        '@ts-nocheck',
        'TO' + 'DO',
        'FIX' + 'ME',
        '\\bX' + 'XX\\b',
      ].join('|'),
    );
    const found = [...sources, ...tests]
      .filter((path) => path !== 'test/tidy.test.ts')
      .flatMap((path) =>
        read(path)
          .split('\n')
          .flatMap((line, i) =>
            marks.test(line.replace(/(^\s*\*|\/\/|\/\*\*).*/, '')) ? [`${path}:${i + 1}`] : [],
          ),
      );
    expect(found).toEqual([]);
  });

  it('no test is skipped or alone', () => {
    const found = tests.filter((path) =>
      /\b(it|test|describe)\.(skip|only|todo)\b\(/.test(read(path)),
    );
    expect(found).toEqual([]);
  });
});
