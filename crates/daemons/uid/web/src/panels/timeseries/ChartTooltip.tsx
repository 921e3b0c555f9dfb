// What lies under the pointer: the moment, and every series' value then, largest first unless asked otherwise.

import { useLayoutEffect, useRef, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { formatNumber } from '../../lib/field/display';
import { formatDateTime, formatDateTimeMs } from '../../lib/time/format';
import type { TimeZone } from '../../lib/time/zone';
import type { TooltipOptions } from '../shared/legend-options';
import { isVisible } from './chart-options';
import type { Chart, Series } from './series';

/** Position in the window, in pixels. */
export interface Hover {
  readonly index: number;
  readonly x: number;
  readonly y: number;
  /** index of the series closest to the pointer */
  readonly nearest: number | undefined;
}

export interface ChartTooltipProps {
  readonly chart: Chart;
  readonly hidden: ReadonlySet<string>;
  readonly hover: Hover;
  readonly options: TooltipOptions;
  readonly zone: TimeZone;
}

const OFFSET = 14;
const MAX_ROWS = 30;

interface Row {
  readonly series: Series;
  readonly value: number;
  readonly isNearest: boolean;
}

export function tooltipRows(chart: Chart, hidden: ReadonlySet<string>, hover: Hover, options: TooltipOptions): Row[] {
  const rows = chart.series.flatMap((series, index): Row[] => {
    const value = series.values[hover.index];
    const isNearest = index === hover.nearest;
    if (value === null || value === undefined || !isVisible(series, hidden) || series.style.hideTooltip) return [];
    return options.mode === 'single' && !isNearest ? [] : [{ series, value, isNearest }];
  });
  const sign = options.sort === 'asc' ? 1 : -1;
  return rows.sort((a, b) => sign * (a.value - b.value));
}

export function ChartTooltip({ chart, hidden, hover, options, zone }: ChartTooltipProps): ReactNode {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = element.current;
    if (box === null) return;
    const { width, height } = box.getBoundingClientRect();
    const flipX = hover.x + OFFSET + width > window.innerWidth;
    const left = flipX ? Math.max(hover.x - OFFSET - width, 4) : hover.x + OFFSET;
    const top = Math.min(Math.max(hover.y + OFFSET, 4), Math.max(window.innerHeight - height - 4, 4));
    box.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  });

  const rows = tooltipRows(chart, hidden, hover, options);
  const time = chart.times[hover.index];
  if (rows.length === 0 || time === undefined) return null;
  return createPortal(
    <div className="chart-tooltip" ref={element} role="presentation">
      <div className="chart-tooltip-time">
        {time % 1000 === 0 ? formatDateTime(time, zone) : formatDateTimeMs(time, zone)}
      </div>
      {rows.slice(0, MAX_ROWS).map(({ series, value, isNearest }) => (
        <div
          className={isNearest && rows.length > 1 ? 'chart-tooltip-row is-nearest' : 'chart-tooltip-row'}
          key={series.name}
        >
          <span className="swatch" style={{ background: series.color }} />
          <span className="truncate">{series.name}</span>
          <span className="chart-tooltip-value">{formatNumber(series.field, value, zone)}</span>
        </div>
      ))}
      {rows.length > MAX_ROWS && <div className="muted">and {rows.length - MAX_ROWS} more</div>}
    </div>,
    document.body,
  );
}
