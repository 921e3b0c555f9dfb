// A small line without axes, filled below.

import { useMemo, type ReactNode } from 'react';
import type { TimeRange } from '../../lib/time/range';

export interface SparklineProps {
  readonly times: readonly unknown[];
  readonly values: readonly unknown[];
  readonly range: TimeRange;
  readonly width: number;
  readonly height: number;
  readonly color: string;
  readonly filled: boolean;
}

interface Paths {
  readonly line: string;
  readonly area: string;
}

export function sparklinePaths({
  times,
  values,
  range,
  width,
  height,
}: Omit<SparklineProps, 'color' | 'filled'>): Paths {
  const points: { time: number; value: number }[] = [];
  values.forEach((value, index) => {
    const time = times[index];
    if (typeof value === 'number' && Number.isFinite(value) && typeof time === 'number') points.push({ time, value });
  });
  if (points.length < 2) return { line: '', area: '' };
  const low = points.reduce((least, { value }) => Math.min(least, value), Infinity);
  const high = points.reduce((most, { value }) => Math.max(most, value), -Infinity);
  const span = high - low;
  const x = (time: number): number => ((time - range.from) / Math.max(range.to - range.from, 1)) * width;
  const y = (value: number): number => (span === 0 ? height / 2 : height - 1 - ((value - low) / span) * (height - 3));
  const line = points
    .map(({ time, value }, index) => `${index === 0 ? 'M' : 'L'}${x(time).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('');
  const [first, last] = [points[0]?.time ?? 0, points[points.length - 1]?.time ?? 0];
  return { line, area: `${line}L${x(last).toFixed(1)} ${height}L${x(first).toFixed(1)} ${height}Z` };
}

export function Sparkline({ times, values, range, width, height, color, filled }: SparklineProps): ReactNode {
  const paths = useMemo(
    () => sparklinePaths({ times, values, range, width, height }),
    [times, values, range, width, height],
  );
  return (
    <svg aria-hidden="true" className="sparkline" height={height} width={width}>
      {filled && <path d={paths.area} fill={color} opacity={0.18} />}
      <path d={paths.line} fill="none" stroke={color} strokeWidth={1.5} />
    </svg>
  );
}
