/** The Black-76 fixture and how errors against it are measured. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

export interface Point {
  readonly forward: number;
  readonly strike: number;
  readonly v: number;
  readonly call: number;
  readonly put: number;
}

export function readPoints(): Point[] {
  const view = new DataView(new ArrayBuffer(8));
  const text = readFileSync(new URL('../fixtures/black76.csv', import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [forward, strike, v, call, put] = line.split(',').map((digits) => {
        view.setBigUint64(0, BigInt(`0x${digits}`));
        return view.getFloat64(0);
      });
      return { forward: forward!, strike: strike!, v: v!, call: call!, put: put! };
    });
}

/** Deterministic numbers in (0, 1): the fractional parts of multiples of the golden section. */
export function fraction(i: number, salt: number): number {
  return (i * 0.6180339887498949 + salt * 0.7548776662466927 + 0.1) % 1;
}

/** The greatest errors of prices against the fixture: over the forward, and relative down to 1e-10 of the forward. */
export class Errors {
  absolute = 0;
  relative = 0;

  add(got: number, exact: number, forward: number): void {
    expect(got).toBeGreaterThanOrEqual(0);
    this.absolute = Math.max(this.absolute, Math.abs(got - exact) / forward);
    if (exact >= 1e-10 * forward) {
      this.relative = Math.max(this.relative, Math.abs(got / exact - 1));
    }
  }

  /** Measured 4.2e-15 and 5.1e-11; the first is half an ulp of K = 20 F. The bounds are the method's: 1e-14 and 1e-8. */
  check(): void {
    expect(this.absolute).toBeLessThan(1e-14);
    expect(this.relative).toBeLessThan(1e-8);
  }
}
