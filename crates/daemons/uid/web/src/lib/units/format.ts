// Values with their unit, as people of the dashboard world expect to read them.

import { formatDateTime, formatClock, fromNow } from '../time/format';
import { clockTime, type TimeZone } from '../time/zone';
import { findUnit } from './catalog';
import { formatClockUnit, formatHms, formatLongDuration, formatTimeUnit } from './durations';
import { decimalsFor, toFixed } from './fixed';
import { formatMoment } from './moment';

export interface FormattedValue {
  readonly text: string;
  /** goes in front, without a space between */
  readonly prefix?: string;
  /** goes behind, with its own leading space where there is one */
  readonly suffix?: string;
}

export interface FormatOptions {
  readonly decimals?: number | undefined;
  readonly zone?: TimeZone;
  /** for “today” and “ago” */
  readonly now?: number;
}

const SI = ['f', 'p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const SI_BASE = 5;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const COUNT = ['', 'K', 'M', 'B', 'T'];

export function formatValue(unit: string, value: number, options: FormatOptions = {}): FormattedValue {
  if (Number.isNaN(value)) return { text: 'NaN' };
  const { decimals } = options;
  const spec = findUnit(unit);
  if (spec === undefined) return formatDynamic(unit, value, options);
  switch (spec[0]) {
    case 'fixed':
      return fixed(value, spec[1], decimals);
    case 'si':
      return si(value, spec[1], spec[2], decimals);
    case 'binary':
      return scaled(value, 1024, spaced(BINARY, spec[1]), spec[2], decimals);
    case 'count':
      return count(value, spec[1], decimals);
    case 'currency':
      return currency(value, spec[1], spec[2], decimals);
    case 'boolean':
      return { text: value === 0 ? spec[2] : spec[1] };
    case 'scale':
      return scaled(value, 1000, spec[1], 0, decimals);
    case 'special':
      return special(spec[1], value, options);
  }
}

/** The parts put together. */
export function joinFormatted(value: FormattedValue): string {
  return `${value.prefix ?? ''}${value.text}${value.suffix ?? ''}`;
}

export function formatWithUnit(unit: string, value: number, options?: FormatOptions): string {
  return joinFormatted(formatValue(unit, value, options)).trimEnd();
}

function spaced(prefixes: readonly string[], unit: string): string[] {
  return prefixes.map((prefix) => (prefix + unit === '' ? '' : ` ${prefix}${unit}`));
}

function scaled(
  value: number,
  factor: number,
  endings: readonly string[],
  offset: number,
  decimals: number | undefined,
): FormattedValue {
  if (!Number.isFinite(value)) return { text: toFixed(value), suffix: endings[offset] ?? '' };
  // Base-10 logarithms, for they are exact at powers of a thousand.
  const steps = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) / Math.log10(factor));
  const index = Math.min(Math.max(offset + steps, 0), endings.length - 1);
  return { text: toFixed(value / factor ** (index - offset), decimals), suffix: endings[index] ?? '' };
}

function fixed(value: number, unit: string, decimals: number | undefined): FormattedValue {
  if (unit === '') return { text: toFixed(value, decimals) };
  return { text: toFixed(value, decimals), suffix: unit === '%' ? unit : ` ${unit}` };
}

function si(value: number, unit: string, offset: number, decimals: number | undefined): FormattedValue {
  return scaled(value, 1000, spaced(SI, unit), SI_BASE + offset, decimals);
}

function count(value: number, unit: string, decimals: number | undefined): FormattedValue {
  return scaled(
    value,
    1000,
    COUNT.map((ending) => `${ending} ${unit}`),
    0,
    decimals,
  );
}

function currency(value: number, symbol: string, asSuffix: boolean, decimals: number | undefined): FormattedValue {
  const amount = scaled(Math.abs(value), 1000, COUNT, 0, decimals);
  const sign = value < 0 ? '-' : '';
  if (asSuffix) return { prefix: sign, text: amount.text, suffix: `${amount.suffix ?? ''}${symbol}` };
  return { ...amount, prefix: `${sign}${symbol}` };
}

function special(name: string, value: number, options: FormatOptions): FormattedValue {
  const { decimals, zone = 'browser', now = Date.now() } = options;
  switch (name) {
    case 'none':
      return { text: toFixed(value, decimals) };
    case 'string':
      return { text: String(value) };
    case 'percent':
      return { text: toFixed(value, decimals), suffix: '%' };
    case 'percentunit':
      return { text: toFixed(value * 100, decimals), suffix: '%' };
    case 'hex':
      return { text: hex(value, decimals) };
    case 'hex0x':
      return { text: hex(value, decimals).replace(/^-?/, '$&0x') };
    case 'sci':
      return { text: value.toExponential(decimals) };
    case 'locale':
      return {
        text: value.toLocaleString('en-US', decimals === undefined ? undefined : { maximumFractionDigits: decimals }),
      };
    case 'dtdurationms':
      return formatLongDuration(value, decimals);
    case 'dtdurations':
      return value === 0 ? { text: '0', suffix: ' seconds' } : formatLongDuration(value * 1000, decimals);
    case 'dthms':
      return formatHms(value, false);
    case 'dtdhms':
      return formatHms(value, true);
    case 'timeticks':
      return formatTimeUnit('s', value / 100, decimals);
    case 'clockms':
      return formatClockUnit(value, decimals);
    case 'clocks':
      return formatClockUnit(value * 1000, decimals);
    case 'dateTimeFromNow':
      return { text: fromNow(value, now) };
    default:
      if (name.startsWith('dateTimeAs')) return { text: dateTime(name, value, zone, now) };
      return formatTimeUnit(name, value, decimals);
  }
}

function hex(value: number, decimals: number | undefined): string {
  const rounded = Number(toFixed(value, decimals));
  return rounded.toString(16).toUpperCase();
}

function dateTime(name: string, ms: number, zone: TimeZone, now: number): string {
  if (name.endsWith('NoDateIfToday')) {
    const [then, today] = [clockTime(ms, zone), clockTime(now, zone)];
    if (then.year === today.year && then.month === today.month && then.day === today.day) {
      return name.includes('US') ? formatMoment(ms, 'h:mm:ss a', zone) : formatClock(ms, zone);
    }
  }
  return name.includes('US') ? formatMoment(ms, 'MM/DD/YYYY h:mm:ss a', zone) : formatDateTime(ms, zone);
}

/** `prefix:X`, `time:fmt`, … ; an unknown id is a plain ending. */
function formatDynamic(unit: string, value: number, options: FormatOptions): FormattedValue {
  const { decimals, zone = 'browser' } = options;
  if (unit === '') return { text: toFixed(value, decimals) };
  const colon = unit.indexOf(':');
  const kind = unit.slice(0, Math.max(colon, 0));
  const rest = unit.slice(colon + 1);
  switch (kind) {
    case 'prefix':
      return { text: toFixed(value, decimals), prefix: rest };
    case 'suffix':
      return fixed(value, rest, decimals);
    case 'time':
      return { text: formatMoment(value, rest, zone) };
    case 'si': {
      const prefix = [...rest][0] ?? '';
      const index = rest.length > 1 ? SI.indexOf(prefix) : -1;
      return index === -1
        ? si(value, rest, 0, decimals)
        : si(value, rest.slice(prefix.length), index - SI_BASE, decimals);
    }
    case 'count':
      return count(value, rest, decimals);
    case 'bool': {
      const [yes = 'true', no = 'false'] = rest.split('/');
      return { text: value === 0 ? no : yes };
    }
    case 'currency':
      return dynamicCurrency(rest, value, decimals);
    default:
      return fixed(value, unit, decimals);
  }
}

function dynamicCurrency(spec: string, value: number, decimals: number | undefined): FormattedValue {
  const parts = spec.split(':');
  if (parts[0] !== 'financial') return currency(value, spec, false, decimals);
  const symbol = parts[1] ?? '';
  const text = Math.abs(value).toLocaleString('en-US', {
    minimumFractionDigits: decimals ?? 0,
    maximumFractionDigits: decimals ?? decimalsFor(value) + 2,
  });
  const sign = value < 0 ? '-' : '';
  return parts[2] === 'suffix' ? { prefix: sign, text, suffix: symbol } : { prefix: `${sign}${symbol}`, text };
}
