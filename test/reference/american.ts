/** Plain twin of workers/kernels/american.ts, one state at a time, the same operations in the same order; its tables are the kernel's. */
import { readFileSync } from 'node:fs';
import { timeValueRatio } from './black76.ts';
import { exp, horner, log, powerOfTwo } from './maths.ts';

const source = readFileSync(new URL('../../workers/kernels/american.ts', import.meta.url), 'utf8');

/** The numbers of a table of the kernel, each of which stands there twice. */
function tableOf(name: string): readonly number[] {
  const text = source.match(
    new RegExp(`const ${name}: usize = memory.data<f64>\\(\\[([^\\]]*)\\]`),
  )![1]!;
  const numbers = text
    .replaceAll(/\/\/.*/g, '')
    .split(',')
    .map((part) => part.trim());
  return numbers.filter((part, i) => part !== '' && i % 2 === 0).map(Number);
}

const TABLE = tableOf('TABLE');
const N = [1, ...TABLE.slice(0, 4)];
const R = [1, ...TABLE.slice(4, 7)];
const P = TABLE.slice(7, 14);
const ROUNDER = 6755399441055744;

interface Node {
  readonly root: number;
  readonly inverse: number;
  readonly now: number;
  readonly early: number;
  readonly weight: number;
  readonly exponent: number;
}
const flat = tableOf('NODES');
const NODES: readonly Node[] = Array.from({ length: 12 }, (_, i) => {
  const [root, inverse, now, early, weight, exponent] = flat.slice(6 * i, 6 * i + 6);
  return { root, inverse, now, early, weight, exponent } as Node;
});

function density(u: number): number {
  const power = u * u * -0.7213475204444817;
  const n = power + ROUNDER - ROUNDER;
  const f = power - n;
  const f2 = f * f;
  const high = P[4]! + f * P[5]! + f2 * P[6]!;
  const p = P[0]! + f * P[1]! + f2 * (P[2]! + f * P[3]! + f2 * high);
  return p * powerOfTwo(n);
}

/** Φ of two arguments, which share a division. */
function cdfs(x0: number, x1: number): readonly [number, number] {
  const u = [x0, x1].map((x) => Math.min(Math.abs(x), 35)) as [number, number];
  const n = u.map((a) => horner(N, a)) as [number, number];
  const d = u.map((a, i) => n[i]! * a + horner(R, a)) as [number, number];
  const shared = 1 / (d[0] * d[1]);
  const fold = (x: number, a: number, mills: number): number => {
    const tail = density(a) * mills;
    return x > 0 ? 1 - tail : tail;
  };
  return [fold(x0, u[0], n[0] * d[1] * shared), fold(x1, u[1], n[1] * d[0] * shared)];
}

interface State {
  readonly z: number;
  readonly y: number;
  readonly c: number;
  readonly v: number;
  readonly inverse: number;
  readonly plus: number;
  readonly minus: number;
  readonly x: number;
  readonly logX: number;
}

const boundaryAt = (node: Node, h1: number, h4: number): number =>
  Math.sqrt(Math.max(node.now * h1 + node.early * h4, 0));

function refined(
  state: State,
  nodes: readonly Node[],
  t: number,
  own: number,
  h1: number,
  h4: number,
): number {
  const { z, y, c, inverse, plus, minus, logX } = state;
  const root = Math.sqrt(t);
  const depth = Math.sqrt(own);
  const level = (logX - depth) * inverse * (1 / root);
  let [n, d] = cdfs(level + minus * root, level + plus * root);
  for (const node of nodes) {
    const distance = (boundaryAt(node, h1, h4) - depth) * inverse * node.inverse;
    const [low, high] = cdfs(distance + minus * node.root, distance + plus * node.root);
    n += z * node.weight * exp(z * node.exponent) * low;
    d += y * node.weight * exp(y * node.exponent) * high;
  }
  if (!(n > 0 && d > 0)) return own;
  const next = Math.min(log(n / d) - (logX + c * t), 0);
  return next * next;
}

function guess({ v, c, x }: State, lambda: number, t: number, root: number): number {
  const reach = 1 + lambda;
  const perpetual = Math.min(lambda / reach, x);
  const drift = c * t - v * (2 * root);
  const b = perpetual + (x - perpetual) * exp(Math.min(drift * reach, 0));
  const h = log(Math.max(b / x, 1e-8));
  return h * h;
}

function boundary(state: State): readonly [number, number] {
  const { z, minus, inverse } = state;
  const m = (minus + minus) * inverse;
  const discount = Math.max(z, 0) * 4 * (inverse * inverse);
  const root = Math.sqrt(m * m + (discount + discount));
  const lambda = m < 0 ? discount / (root - m) : (m + root) * 0.5;
  let h1 = guess(state, lambda, 1, 1);
  let h4 = guess(state, lambda, 0.25, 0.5);
  for (let turn = 0; turn < 2; turn++) {
    const next = refined(state, NODES.slice(0, 3), 1, h1, h1, h4);
    h4 = refined(state, NODES.slice(3, 6), 0.25, h4, h1, h4);
    h1 = next;
  }
  return [h1, h4];
}

/** The arguments and the value of `americanPrice` in workers/kernels.ts. */
export function americanPrice(
  level: number,
  forward: number,
  strike: number,
  v0: number,
  rateTime: number,
  right: 1 | -1,
): number {
  const carry = log(forward / level);
  const call = right === 1;
  const spread = Math.min(v0, 70);
  const [z, y] = call ? [rateTime - carry, rateTime] : [rateTime, rateTime - carry];
  const h = Math.abs(log(forward / strike)) / Math.max(spread, 1e-300);
  const least = Math.min(forward, strike);
  const time = least * timeValueRatio(h, spread);
  const european = exp(-rateTime) * (time + ((call ? forward : strike) - least));
  if (z <= 0 && y >= z) return european;

  const intrinsic = (call ? level : strike) - Math.min(level, strike);
  const s = call ? strike / level : level / strike;
  const logS = call ? -log(level / strike) : log(level / strike);
  const c = call ? -carry : carry;
  const v = Math.max(spread, 1e-8);
  const inverse = 1 / v;
  const [plus, minus] = [c * inverse + v * 0.5, c * inverse - v * 0.5];
  const x = Math.max(y > Math.max(z, 0) ? z / y : 1, 1e-30);
  const state = { z, y, c, v, inverse, plus, minus, x, logX: log(x) };
  const [h1, h4] = boundary(state);
  const above = logS - state.logX;
  if (above <= -Math.sqrt(h1)) return intrinsic;
  let premium = 0;
  for (const node of NODES.slice(6)) {
    const distance = (above + boundaryAt(node, h1, h4)) * inverse * node.inverse;
    const [low, high] = cdfs(-(distance + minus * node.root), -(distance + plus * node.root));
    const gain = z * node.weight * exp(z * node.exponent) * low;
    const loss = s * (y * node.weight * exp(y * node.exponent)) * high;
    premium += gain - loss;
  }
  const alive = european + (call ? level : strike) * Math.max(premium, 0);
  return Math.max(alive, intrinsic);
}
