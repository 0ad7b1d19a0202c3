/** Numbers and names as people read them. Display only: files and `--json` carry every digit. */
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat('en-US', {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const digits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

/** `1,234`. */
export function count(value: number): string {
  return whole.format(value);
}

/** Money: `48,211.07`; of less than a cent, four digits. */
export function money(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0.00';
  return size < 0.01 ? digits.format(value) : cents.format(value);
}

/** A value and its standard error: `48,211.07 ± 690.10`. */
export function estimate(value: number, standardError: number | null): string {
  return `${money(value)} ± ${standardError === null ? 'unknown' : money(standardError)}`;
}

/** A share: `14.7%`. */
export function percent(value: number | null, decimals = 1): string {
  return value === null ? 'none' : `${(100 * value).toFixed(decimals)}%`;
}

/** Seconds as `3.2 s`, or `12:05` and `1:02:05` from a minute on. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  const parts = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const text = parts.map((part) => String(part).padStart(2, '0')).join(':');
  return text.replace(/^00:/, '').replace(/^0/, '');
}

/** `sha256:…` short enough for a table. */
export function shortHash(hash: string): string {
  return `${hash.slice(0, 19)}…`;
}

/** Text from a file on a terminal: characters that would steer it are written out. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}
