// Frames → the series of a chart: names, colours, styles, aligned values.

import { numberFields, timeField, type DataFrame, type Field } from '../../lib/data/frame';
import { fieldBounds, seriesDisplayColor } from '../../lib/field/display';
import { displayName, uniqueNames } from '../../lib/field/names';
import type { ThemeName } from '../../lib/field/palette';
import type { TimeZone } from '../../lib/time/zone';
import { alignSeries, stackSeries, type Column } from './align';
import { parseStyle, type SeriesStyle } from './options';

export interface Series {
  readonly name: string;
  readonly color: string;
  readonly field: Field;
  readonly style: SeriesStyle;
  /** as measured; what the tooltip and the legend show */
  readonly values: Column;
  /** as drawn: stacked and turned round where asked */
  readonly drawn: Column;
  /** the series this one stands on */
  readonly below: number | undefined;
  readonly scale: string;
}

export interface Chart {
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

export interface ChartInput {
  readonly frames: readonly DataFrame[];
  readonly theme: ThemeName;
  readonly zone: TimeZone;
  readonly interval: number;
  /** names switched off in the legend */
  readonly hidden: ReadonlySet<string>;
}

interface Candidate {
  readonly frame: DataFrame;
  readonly field: Field;
  readonly time: Field;
}

export function buildChart({ frames, theme, zone, interval, hidden }: ChartInput): Chart {
  const candidates = frames.flatMap((frame): Candidate[] => {
    const time = timeField(frame);
    return time === undefined ? [] : numberFields(frame).map((field) => ({ frame, field, time }));
  });
  const names = uniqueNames(candidates.map(({ frame, field }) => displayName(field, frame, frames)));
  const styles = candidates.map(({ field }) => parseStyle(field.config));
  const { times, columns } = alignSeries(
    candidates.map(({ field, time }, index) => ({
      times: time.values,
      values: field.values,
      interval: time.config.interval ?? interval,
      spanNulls: styles[index]?.spanNulls ?? false,
    })),
  );
  const isDrawn = (index: number): boolean => styles[index]?.hideViz !== true && !hidden.has(names[index] ?? '');
  const turned = columns.map((column, index) =>
    styles[index]?.negative === true ? column.map((value) => (typeof value === 'number' ? -value : value)) : column,
  );
  const stacked = stackSeries(
    turned,
    styles.map((style, index) => ({
      group:
        style.stacking === 'none' || !isDrawn(index)
          ? undefined
          : `${style.stackGroup}/${style.draw}/${style.negative ? '-' : '+'}/${candidates[index]?.field.config.unit ?? ''}`,
      percent: style.stacking === 'percent',
    })),
  );
  const series = candidates.map(({ field }, index): Series => {
    const style = styles[index] ?? parseStyle(field.config);
    const name = names[index] ?? '';
    return {
      name,
      color: seriesDisplayColor(field, { theme, zone, seriesIndex: index, name }, fieldBounds(field)),
      field,
      style,
      values: columns[index] ?? [],
      drawn: stacked.columns[index] ?? [],
      below: stacked.below[index],
      scale: scaleKey(field, style),
    };
  });
  return { times, series };
}

/** Series with the same unit, side and bounds share an axis. */
function scaleKey({ config }: Field, style: SeriesStyle): string {
  const unit = style.stacking === 'percent' ? 'percentunit' : (config.unit ?? '');
  return [
    unit,
    style.axis === 'right' ? 'right' : 'left',
    config.min,
    config.max,
    style.softMin,
    style.softMax,
    style.log,
  ]
    .map((part) => part ?? '')
    .join('/');
}
