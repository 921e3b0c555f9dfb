// A raw value made ready for the eye: mapped, formatted, coloured.

import { numeric, type Field } from '../data/frame';
import { formatDateTimeMs, formatDateTime } from '../time/format';
import type { TimeZone } from '../time/zone';
import { formatValue, joinFormatted, type FormattedValue } from '../units/format';
import { colorByName, continuousColor, isContinuous, resolveColor, seriesColor, type ThemeName } from './palette';
import { mapValue } from './mappings';
import { reduceNumber } from './reducers';
import { activeThreshold, DEFAULT_THRESHOLDS } from './thresholds';

export interface DisplayValue extends FormattedValue {
  readonly color: string;
  readonly numeric: number;
  /** 0–1 between min and max */
  readonly share: number;
}

export interface DisplayContext {
  readonly theme: ThemeName;
  readonly zone: TimeZone;
  /** of the field among the panel's series */
  readonly seriesIndex: number;
  readonly name: string;
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** Configured bounds, else the field's own. */
export function fieldBounds(field: Field): Bounds {
  const { config } = field;
  const low = config.min ?? reduceNumber(field.values, 'min') ?? 0;
  const high = config.max ?? reduceNumber(field.values, 'max') ?? 100;
  return { min: low, max: high };
}

/** A function that displays values of this field. Bounds are worked out once. */
export function displayProcessor(
  field: Field,
  context: DisplayContext,
  bounds: Bounds = fieldBounds(field),
): (value: unknown) => DisplayValue {
  const { config } = field;
  const mappings = config.mappings ?? [];
  const colorOf = valueColor(field, context, bounds);
  return (value) => {
    const number = numeric(value) ?? NaN;
    const share = bounds.max > bounds.min ? (number - bounds.min) / (bounds.max - bounds.min) : 0;
    const mapped = mapValue(mappings, value);
    const color = mapped?.color === undefined ? colorOf(number) : resolveColor(mapped.color, context.theme);
    const formatted: FormattedValue =
      mapped?.text === undefined || mapped.text === ''
        ? formatField(field, value, context.zone)
        : { text: mapped.text };
    return { ...formatted, color, numeric: number, share: Number.isNaN(share) ? 0 : share };
  };
}

export function displayText(value: FormattedValue): string {
  return joinFormatted(value).trimEnd();
}

function formatField(field: Field, value: unknown, zone: TimeZone): FormattedValue {
  const { unit, decimals, noValue } = field.config;
  if (value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))) {
    return { text: noValue ?? (typeof value === 'number' ? 'NaN' : '') };
  }
  if (field.type === 'time' && typeof value === 'number' && !isDateUnit(unit)) {
    return { text: value % 1000 === 0 ? formatDateTime(value, zone) : formatDateTimeMs(value, zone) };
  }
  if (typeof value === 'number') return formatValue(unit ?? '', value, { decimals, zone });
  if (typeof value === 'string') {
    const number = unit !== undefined && unit !== 'string' ? numeric(value) : null;
    return number === null ? { text: value } : formatValue(unit ?? '', number, { decimals, zone });
  }
  return { text: typeof value === 'boolean' ? (value ? 'True' : 'False') : JSON.stringify(value) };
}

/** A number that is no moment may not be written as one, nor the other way round. */
function isDateUnit(unit: string | undefined): boolean {
  return unit !== undefined && (unit.startsWith('time:') || unit.startsWith('dateTime'));
}

/** A number of this field's kind as text, without mappings: axis labels and calculations. */
export function formatNumber(field: Field, value: number | null, zone: TimeZone): string {
  return value === null ? '' : displayText(formatField({ ...field, type: 'number' }, value, zone));
}

function valueColor(field: Field, context: DisplayContext, bounds: Bounds): (value: number) => string {
  const { theme } = context;
  const color = field.config.color;
  const mode = color?.mode ?? 'thresholds';
  if (mode === 'fixed' || mode === 'shades') {
    const fixed = resolveColor(color?.fixedColor ?? 'blue', theme);
    return () => fixed;
  }
  if (mode === 'palette-classic-by-name') {
    const named = colorByName(context.name, theme);
    return () => named;
  }
  if (mode.startsWith('palette')) {
    const series = seriesColor(context.seriesIndex, theme, mode);
    return () => series;
  }
  if (isContinuous(mode)) {
    const width = bounds.max - bounds.min;
    return (value) => continuousColor(mode, width > 0 ? (value - bounds.min) / width : 0, theme) ?? 'currentColor';
  }
  const thresholds = field.config.thresholds ?? DEFAULT_THRESHOLDS;
  const base = resolveColor(thresholds.steps[0]?.color ?? 'green', theme);
  return (value) => {
    if (Number.isNaN(value)) return base;
    const step = activeThreshold(thresholds, value, bounds.min, bounds.max);
    return step === undefined ? base : resolveColor(step.color, theme);
  };
}

/** The colour a whole series is drawn in. */
export function seriesDisplayColor(field: Field, context: DisplayContext, bounds: Bounds): string {
  const color = field.config.color;
  const mode = color?.mode ?? 'palette-classic';
  if (mode !== 'thresholds' && !isContinuous(mode)) {
    return valueColor({ ...field, config: { ...field.config, color: { ...color, mode } } }, context, bounds)(0);
  }
  const by = color?.seriesBy ?? 'last';
  const value = reduceNumber(field.values, by === 'last' ? 'lastNotNull' : by);
  return valueColor(field, context, bounds)(value ?? NaN);
}
