// The chart library's options for our series: scales, axes, paths, thresholds.

import uPlot from 'uplot';
import { resolveColor, withAlpha, type ThemeName } from '../../lib/field/palette';
import { absoluteSteps } from '../../lib/field/thresholds';
import { formatTick } from '../../lib/time/format';
import type { TimeRange } from '../../lib/time/range';
import { clockTime, type TimeZone } from '../../lib/time/zone';
import { findUnit } from '../../lib/units/catalog';
import { decimalsFor } from '../../lib/units/fixed';
import { formatWithUnit } from '../../lib/units/format';
import type { Chart, Series } from './series';

export interface ChartColors {
  readonly grid: string;
  readonly axis: string;
  readonly font: string;
}

export interface ChartOptionsInput {
  readonly chart: Chart;
  readonly hidden: ReadonlySet<string>;
  readonly range: TimeRange;
  readonly zone: TimeZone;
  readonly theme: ThemeName;
  readonly colors: ChartColors;
  readonly width: number;
  readonly height: number;
  readonly syncKey: string;
}

const LABEL_GAP = 56;
/** Distances between ticks that give round numbers of KiB, MiB … */
const POWERS_OF_TWO = Array.from({ length: 63 }, (_, exponent) => 2 ** (exponent - 4));

export function isVisible(series: Series, hidden: ReadonlySet<string>): boolean {
  return !series.style.hideViz && !hidden.has(series.name);
}

export function chartOptions(input: ChartOptionsInput): uPlot.Options {
  const { chart, range, width, height, syncKey } = input;
  const scaleKeys = [...new Set(chart.series.map((series) => series.scale))];
  const scales: uPlot.Scales = { x: { time: true, range: () => [range.from, range.to] } };
  const axes: uPlot.Axis[] = [timeAxis(input)];
  scaleKeys.forEach((key, index) => {
    const members = chart.series.filter((series) => series.scale === key);
    scales[key] = valueScale(members);
    axes.push(valueAxis(key, members, index, input));
  });
  return {
    width,
    height,
    ms: 1,
    tzDate: (ms) => zonedDate(ms, input.zone),
    padding: [8, 18, 0, 4],
    legend: { show: false },
    scales,
    axes,
    series: [{}, ...chart.series.map((series) => seriesOptions(series, input))],
    bands: bands(chart, input.hidden),
    cursor: {
      points: {
        size: 7,
        width: 1.5,
        stroke: (u, index) => seriesStroke(u, index),
        fill: (u, index) => seriesStroke(u, index),
      },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      focus: { prox: 24 },
      ...(syncKey === '' ? {} : { sync: { key: syncKey, setSeries: false, scales: ['x', null] } }),
    },
    focus: { alpha: 0.35 },
    hooks: { drawAxes: [(u) => drawThresholds(u, input)] },
  };
}

function seriesStroke(u: uPlot, index: number): string {
  const stroke = u.series[index]?.stroke;
  const value = typeof stroke === 'function' ? stroke(u, index) : stroke;
  return typeof value === 'string' ? value : 'transparent';
}

/** A date whose local fields show the zone's clock, as the library wants it for choosing ticks. */
function zonedDate(ms: number, zone: TimeZone): Date {
  const clock = clockTime(ms, zone);
  return new Date(
    clock.year,
    clock.month - 1,
    clock.day,
    clock.hour,
    clock.minute,
    clock.second,
    ((ms % 1000) + 1000) % 1000,
  );
}

function timeAxis({ colors, range, zone }: ChartOptionsInput): uPlot.Axis {
  return {
    font: colors.font,
    stroke: colors.axis,
    grid: { stroke: colors.grid, width: 1 },
    ticks: { stroke: colors.grid, width: 1, size: 4 },
    size: 26,
    gap: 4,
    space: range.to - range.from > 86_400_000 ? 96 : LABEL_GAP,
    values: (_u, splits, _axis, _space, increment) =>
      splits.map((split) => formatTick(split, increment, range.to - range.from, zone)),
  };
}

function valueScale(members: readonly Series[]): uPlot.Scale {
  const [first] = members;
  const config = first?.field.config ?? {};
  const style = first?.style;
  const percent = style?.stacking === 'percent';
  const withBars = members.some((series) => series.style.draw === 'bars');
  if (style?.log !== undefined) {
    return { distr: 3, log: style.log === 2 ? 2 : 10 };
  }
  return {
    range: (_u, dataMin, dataMax) => {
      // The library has no numbers when every series is empty.
      const low = Number.isFinite(dataMin) ? dataMin : 0;
      const high = Number.isFinite(dataMax) ? dataMax : 100;
      const softMin = style?.softMin ?? (withBars || percent ? 0 : undefined);
      const [from, to] = uPlot.rangeNum(low, high, {
        min: { pad: 0.1, soft: softMin ?? 0, mode: softMin === undefined ? 3 : 1, ...hard(config.min) },
        max: {
          pad: 0.1,
          soft: style?.softMax ?? 0,
          mode: style?.softMax === undefined ? 3 : 1,
          ...hard(percent ? 1 : config.max),
        },
      });
      let [bottom, top] = [config.min ?? from ?? low, (percent ? 1 : config.max) ?? to ?? high];
      if (style?.centeredZero === true) {
        top = Math.max(Math.abs(bottom), Math.abs(top));
        bottom = -top;
      }
      return bottom === top ? [bottom - 1, top + 1] : [Math.min(bottom, top), Math.max(bottom, top)];
    },
  };
}

function hard(limit: number | undefined): { hard?: number } {
  return limit === undefined ? {} : { hard: limit };
}

function valueAxis(
  key: string,
  members: readonly Series[],
  index: number,
  { colors, zone }: ChartOptionsInput,
): uPlot.Axis {
  const [first] = members;
  const style = first?.style;
  const onRight = style?.axis === 'right' || (style?.axis === 'auto' && index > 0);
  const config = first?.field.config ?? {};
  const unit = style?.stacking === 'percent' ? 'percentunit' : (config.unit ?? '');
  const label = style?.axisLabel ?? '';
  return {
    scale: key,
    show: style?.axis !== 'hidden',
    side: onRight ? 1 : 3,
    font: colors.font,
    stroke: colors.axis,
    grid: { show: index === 0, stroke: colors.grid, width: 1 },
    ticks: { show: false },
    gap: 6,
    space: 30,
    ...(findUnit(unit)?.[0] === 'binary' ? { incrs: POWERS_OF_TWO } : {}),
    size: (u, values) => axisSize(u, values, colors.font),
    values: (_u, splits) => {
      const decimals = config.decimals ?? tickDecimals(splits, unit);
      return splits.map((split) => formatWithUnit(unit, split, { decimals, zone }));
    },
    ...(label === '' ? {} : { label, labelFont: colors.font, labelSize: 18, labelGap: 0 }),
  };
}

/** As wide as the widest label. */
function axisSize(u: uPlot, values: string[] | null, font: string): number {
  if (values === null || values.length === 0) return 40;
  u.ctx.save();
  u.ctx.font = font;
  const widest = Math.max(...values.map((value) => u.ctx.measureText(value).width));
  u.ctx.restore();
  return Math.ceil(widest) + 14;
}

/** The same number of decimals on every tick: as many as tell neighbours apart. */
function tickDecimals(splits: readonly number[], unit: string): number | undefined {
  const texts = (decimals: number): string[] => splits.map((split) => formatWithUnit(unit, split, { decimals }));
  for (let decimals = 0; decimals < 4; decimals += 1) {
    const written = texts(decimals);
    if (new Set(written).size === written.length && splits.every((split) => isExact(split, unit, decimals)))
      return decimals;
  }
  const step = Math.abs((splits[1] ?? 0) - (splits[0] ?? 0));
  return decimalsFor(step);
}

/** Written with this many decimals, the value loses nothing that three would keep. */
function isExact(value: number, unit: string, decimals: number): boolean {
  const short = Number.parseFloat(formatWithUnit(unit, value, { decimals }).replace(/^[^\d.-]+/, ''));
  const long = Number.parseFloat(formatWithUnit(unit, value, { decimals: 3 }).replace(/^[^\d.-]+/, ''));
  return Number.isNaN(short) || Math.abs(short - long) < 0.0005;
}

function seriesOptions(series: Series, { hidden }: ChartOptionsInput): uPlot.Series {
  const { style, color } = series;
  const { bars, linear, spline, stepped, points } = uPlot.paths;
  const isBars = style.draw === 'bars';
  const paths =
    style.draw === 'points'
      ? points?.()
      : isBars
        ? bars?.({ size: [0.6, 40, 1], align: style.barAlignment })
        : style.interpolation === 'smooth'
          ? spline?.()
          : style.interpolation === 'linear'
            ? linear?.()
            : stepped?.({ align: style.interpolation === 'stepAfter' ? 1 : -1 });
  const filled = style.fillOpacity > 0 && style.draw !== 'points';
  return {
    label: series.name,
    scale: series.scale,
    show: isVisible(series, hidden),
    stroke: color,
    width: style.draw === 'points' ? 0 : isBars ? Math.min(style.lineWidth, 1) : lineWidth(style.lineWidth),
    ...(style.dash.length > 0 ? { dash: [...style.dash] } : {}),
    ...(filled ? { fill: fillOf(series) } : {}),
    ...(paths === undefined ? {} : { paths }),
    points: {
      show: style.draw === 'points' || style.points === 'always' || style.points === 'auto',
      size: Math.max(style.pointSize, 2),
      fill: color,
      stroke: color,
      ...(style.draw !== 'points' && style.points === 'auto' ? { filter: lonelyPoints } : {}),
    },
    spanGaps: false,
  };
}

/** One pixel is drawn a little stronger: thin lines vanish on fine screens. */
function lineWidth(width: number): number {
  return width === 1 ? 1.5 : width;
}

/** Only samples that no line would show: those with a gap on both sides. */
const lonelyPoints: uPlot.Series.Points.Filter = (u, seriesIndex) => {
  const data = u.data[seriesIndex] ?? [];
  const lonely: number[] = [];
  let previous: number | null = null;
  let hasBefore = false;
  for (let index = 0; index < data.length; index += 1) {
    const value = data[index];
    if (value === undefined) continue;
    if (value === null) {
      if (previous !== null && !hasBefore) lonely.push(previous);
      previous = null;
      hasBefore = false;
      continue;
    }
    hasBefore = previous !== null;
    previous = index;
    if (hasBefore) {
      // Part of a line: skip to its end.
      while (index + 1 < data.length && data[index + 1] !== null) {
        index += 1;
        if (data[index] !== undefined) previous = index;
      }
    }
  }
  if (previous !== null && !hasBefore) lonely.push(previous);
  return lonely;
};

function fillOf(series: Series): uPlot.Series.Fill {
  const { style, color } = series;
  const alpha = style.fillOpacity / 100;
  if (!style.gradient) return withAlpha(color, alpha);
  return (u) => {
    const { top, height } = u.bbox;
    if (!Number.isFinite(height) || height <= 0) return withAlpha(color, alpha);
    const gradient = u.ctx.createLinearGradient(0, top, 0, top + height);
    gradient.addColorStop(0, withAlpha(color, alpha));
    gradient.addColorStop(1, withAlpha(color, 0.02));
    return gradient;
  };
}

/** Stacked series are filled down to the one below, `fillBelowTo` to the one named. */
function bands(chart: Chart, hidden: ReadonlySet<string>): uPlot.Band[] {
  return chart.series.flatMap((series, index): uPlot.Band[] => {
    const named = chart.series.findIndex((other) => other.name === series.style.fillBelowTo);
    const lower = series.below ?? (named === -1 ? undefined : named);
    if (lower === undefined || !isVisible(series, hidden)) return [];
    const fill = named !== -1 && series.style.fillOpacity === 0 ? { fill: withAlpha(series.color, 0.2) } : {};
    return [{ series: [index + 1, lower + 1], ...fill }];
  });
}

/** Lines and areas of the first visible series' thresholds, under the data. */
function drawThresholds(u: uPlot, { chart, hidden, theme }: ChartOptionsInput): void {
  const series = chart.series.find((item) => item.style.thresholds !== 'off' && isVisible(item, hidden));
  const thresholds = series?.field.config.thresholds;
  if (series === undefined || thresholds === undefined) return;
  const mode = series.style.thresholds;
  const scale = u.scales[series.scale];
  const [low, high] = [scale?.min ?? 0, scale?.max ?? 0];
  const { min = low, max = high } = series.field.config;
  const steps = absoluteSteps(thresholds, min, max);
  const { ctx, bbox } = u;
  const at = (value: number): number => u.valToPos(Math.min(Math.max(value, low), high), series.scale, true);
  ctx.save();
  steps.forEach((step, index) => {
    const color = resolveColor(step.color, theme);
    if (mode.includes('area') && step.color !== 'transparent') {
      const top = at(steps[index + 1]?.value ?? high);
      const bottom = at(Number.isFinite(step.value) ? step.value : low);
      ctx.fillStyle = withAlpha(color, 0.12);
      ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    }
    const lineColor = step.color === 'transparent' ? steps[index - 1]?.color : step.color;
    if (/line|dashed/.test(mode) && Number.isFinite(step.value) && step.value >= low && step.value <= high) {
      ctx.strokeStyle = withAlpha(resolveColor(lineColor ?? 'red', theme), 0.8);
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash(mode.includes('dashed') ? [10 * devicePixelRatio, 6 * devicePixelRatio] : []);
      ctx.beginPath();
      ctx.moveTo(bbox.left, at(step.value));
      ctx.lineTo(bbox.left + bbox.width, at(step.value));
      ctx.stroke();
    }
  });
  ctx.restore();
}
