/** The twin of workers/kernels/margins.ts, over plain arrays; `exp` and `log` are given, as those of the kernels have bits of their own. */

export function studentMargins(
  x: readonly number[],
  mix: readonly number[] | undefined,
  scale: number,
  table: { readonly octaves: number; readonly values: Float64Array },
  maths: { readonly exp: (x: number) => number; readonly log: (x: number) => number },
): number[] {
  return x.map((value, i) => {
    const y = (mix === undefined ? scale : scale * mix[i]!) * value;
    const w = 1 + y * y;
    if (!(w < Number.POSITIVE_INFINITY)) return y;
    let octave = 0;
    while (2 ** (octave + 1) <= w) octave++;
    if (octave >= table.octaves) {
      const [last, power] = table.values.subarray(-2);
      return y * (last! * maths.exp(power! * maths.log(w / 2 ** table.octaves)));
    }
    const place = (w / 2 ** octave - 1) * 16;
    const segment = Math.floor(place);
    const s = (place - segment) * 2 - 1;
    const c = table.values.subarray((octave * 16 + segment) * 8);
    const square = s * s;
    const even = ((c[6]! * square + c[4]!) * square + c[2]!) * square + c[0]!;
    const odd = ((c[7]! * square + c[5]!) * square + c[3]!) * square + c[1]!;
    return y * (even + s * odd);
  });
}
