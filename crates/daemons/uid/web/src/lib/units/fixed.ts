// A number with a sensible or a given count of decimals.

/** Decimals that show about three significant digits; none for whole numbers. */
export function decimalsFor(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || Number.isInteger(magnitude)) return 0;
  const exponent = Math.floor(Math.log10(magnitude));
  let decimals = 1 - exponent;
  if (magnitude / 10 ** -decimals > 2.25) decimals += 1;
  return Math.max(0, decimals);
}

/** Rounded text; infinities as `∞`. */
export function toFixed(value: number, decimals?: number): string {
  if (value === Infinity) return '∞';
  if (value === -Infinity) return '-∞';
  const places = Math.min(decimals ?? decimalsFor(value), 100);
  if (value === 0) return value.toFixed(places);
  const factor = 10 ** places;
  const rounded = String(Math.round(value * factor) / factor);
  if (rounded.includes('e') || places === 0) return rounded;
  const point = rounded.indexOf('.');
  const present = point === -1 ? 0 : rounded.length - point - 1;
  if (present >= places) return rounded;
  return `${rounded}${point === -1 ? '.' : ''}${'0'.repeat(places - present)}`;
}
