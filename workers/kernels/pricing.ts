// TEMPORARY baseline so that others can build; replaced by the real kernel.
import { exp, log, normalCdf } from './maths';
function otm(F: f64, K: f64, x: f64, v: f64): f64 {
  if (!(v > 0)) return 0;
  const a = Math.abs(x);
  const d1 = -a / v + v / 2, d2 = -a / v - v / 2;
  const lo = F < K ? F : K, hi = F < K ? K : F;
  const p = lo * normalCdf(d1) - hi * normalCdf(d2);
  return p > 0 ? p : 0;
}
export function black76(F: f64, K: f64, v: f64, right: f64): f64 {
  const o = otm(F, K, log(F / K), v);
  return o + Math.max(right * (F - K), 0);
}
export function black76Array(f: usize, k: usize, v: usize, c: usize, p: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>i << 3;
    if (c) store<f64>(c + at, black76(load<f64>(f + at), load<f64>(k + at), load<f64>(v + at), 1));
    if (p) store<f64>(p + at, black76(load<f64>(f + at), load<f64>(k + at), load<f64>(v + at), -1));
  }
}
export function spotScenarios(shock: usize, out: usize, n: i32, s0: f64, abs: i32): void {
  for (let i = 0; i < n; i++) { const at = <usize>i << 3; store<f64>(out + at, abs ? s0 + load<f64>(shock + at) : s0 * exp(load<f64>(shock + at))); }
}
export function expiryScenarios(shock: usize, basis: usize, vol: usize, n: i32, f0: f64, T: f64, vs: f64, lm: usize, fw: usize, up: usize, dn: usize, cv: usize): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>i << 3;
    const b = basis ? load<f64>(basis + at) * T : 0;
    const m = load<f64>(shock + at) + b;
    store<f64>(lm + at, m); store<f64>(fw + at, f0 * exp(m));
    const w = vol ? load<f64>(vol + at) * vs : 0;
    store<f64>(up + at, exp(w)); store<f64>(dn + at, exp(-w)); store<f64>(cv + at, exp(-b));
  }
}
// @ts-ignore: decorator
@inline
function slot(out: usize, s: i32, bs: i32, st: i32): usize { return out + <usize>(s / bs) * st + (<usize>(s % bs) << 3); }
export function optionRows(n: i32, lm: usize, fw: usize, up: usize, dn: usize, cv: usize, m0: f64, K: f64, v0: f64, sc: f64, cb: f64, co: usize, pb: f64, po: usize, bs: i32, st: i32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>i << 3;
    const F = load<f64>(fw + at);
    const o = otm(F, K, load<f64>(lm + at) + m0, v0 * load<f64>(up + at));
    const k = sc * load<f64>(cv + at);
    if (co) store<f64>(slot(co, i, bs, st), k * (o + Math.max(F - K, 0)) - cb);
    if (po) store<f64>(slot(po, i, bs, st), k * (o + Math.max(K - F, 0)) - pb);
  }
}
export function payoffRow(n: i32, sp: usize, K: f64, r: f64, sc: f64, base: f64, out: usize, bs: i32, st: i32): void {
  for (let i = 0; i < n; i++) store<f64>(slot(out, i, bs, st), sc * Math.max(r * (load<f64>(sp + (<usize>i << 3)) - K), 0) - base);
}
export function linearRow(n: i32, lv: usize, mk: f64, sc: f64, out: usize, bs: i32, st: i32): void {
  for (let i = 0; i < n; i++) store<f64>(slot(out, i, bs, st), sc * (load<f64>(lv + (<usize>i << 3)) - mk));
}
export function inverseRow(n: i32, lv: usize, sp: usize, mk: f64, sc: f64, out: usize, bs: i32, st: i32): void {
  for (let i = 0; i < n; i++) { const at = <usize>i << 3; store<f64>(slot(out, i, bs, st), sc * (1 / mk - 1 / load<f64>(lv + at)) * load<f64>(sp + at)); }
}
