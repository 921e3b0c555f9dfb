// The drawing itself: owns the chart library's object and tells about the pointer.

import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ThemeName } from '../../lib/field/palette';
import type { TimeRange } from '../../lib/time/range';
import type { TimeZone } from '../../lib/time/zone';
import type { TooltipOptions } from '../shared/legend-options';
import { chartOptions } from './chart-options';
import { ChartTooltip, type Hover } from './ChartTooltip';
import type { Chart } from './series';

export interface ChartCanvasProps {
  readonly chart: Chart;
  readonly hidden: ReadonlySet<string>;
  readonly highlighted: string | undefined;
  readonly range: TimeRange;
  readonly zone: TimeZone;
  readonly theme: ThemeName;
  readonly width: number;
  readonly height: number;
  readonly syncKey: string;
  readonly tooltip: TooltipOptions;
  readonly name: string;
  readonly onZoom: (range: TimeRange) => void;
  readonly onZoomOut: () => void;
}

export function ChartCanvas(props: ChartCanvasProps): ReactNode {
  const { chart, hidden, highlighted, range, zone, theme, width, height, syncKey, tooltip, name } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const handlers = useRef({ onZoom: props.onZoom, onZoomOut: props.onZoomOut });
  const size = useRef({ width, height });
  const [hover, setHover] = useState<Hover>();

  useEffect(() => {
    handlers.current = { onZoom: props.onZoom, onZoomOut: props.onZoomOut };
  });

  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const style = getComputedStyle(element);
    const options = chartOptions({
      chart,
      hidden,
      range,
      zone,
      theme,
      ...size.current,
      syncKey,
      colors: {
        grid: style.getPropertyValue('--chart-grid').trim(),
        axis: style.getPropertyValue('--chart-axis').trim(),
        font: `12px ${style.fontFamily}`,
      },
    });
    const data: uPlot.AlignedData = [[...chart.times], ...chart.series.map((series) => series.drawn)];
    const created = new uPlot(
      {
        ...options,
        hooks: {
          ...options.hooks,
          setCursor: [(u) => setHover(readHover(u))],
          setSelect: [
            (u) => {
              if (u.select.width <= 2) return;
              const from = u.posToVal(u.select.left, 'x');
              const to = u.posToVal(u.select.left + u.select.width, 'x');
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              if (to - from >= 1) handlers.current.onZoom({ from, to });
            },
          ],
        },
      },
      data,
      element,
    );
    plot.current = created;
    const zoomOut = (): void => handlers.current.onZoomOut();
    created.over.addEventListener('dblclick', zoomOut);
    return () => {
      created.over.removeEventListener('dblclick', zoomOut);
      created.destroy();
      plot.current = undefined;
      setHover(undefined);
    };
  }, [chart, hidden, range, zone, theme, syncKey]);

  useLayoutEffect(() => {
    size.current = { width, height };
    const current = plot.current;
    if (current !== undefined && (current.width !== width || current.height !== height))
      current.setSize({ width, height });
  }, [width, height]);

  useEffect(() => {
    const current = plot.current;
    if (current === undefined) return;
    const index = highlighted === undefined ? -1 : chart.series.findIndex((series) => series.name === highlighted);
    current.setSeries(index === -1 ? null : index + 1, { focus: true }, false);
  }, [highlighted, chart]);

  return (
    <div aria-label={`Chart: ${name}`} className="chart-canvas" ref={host} role="img">
      {hover !== undefined && tooltip.mode !== 'none' && (
        <ChartTooltip chart={chart} hidden={hidden} hover={hover} options={tooltip} zone={zone} />
      )}
    </div>
  );
}

/** Where the pointer itself is; a mark that another panel set gives no tooltip. */
function readHover(u: uPlot): Hover | undefined {
  const { idx, left = -1, top = -1, event } = u.cursor;
  if (idx === null || idx === undefined || left < 0 || event === null || event === undefined) return undefined;
  const box = u.over.getBoundingClientRect();
  return { index: idx, x: box.left + left, y: box.top + top, nearest: nearest(u, idx, top) };
}

/** The series whose value at this moment is closest to the pointer. */
function nearest(u: uPlot, index: number, top: number): number | undefined {
  let best: number | undefined;
  let distance = Infinity;
  u.series.forEach((series, position) => {
    const value = position === 0 ? undefined : u.data[position]?.[index];
    if (value === null || value === undefined || series.show !== true || series.scale === undefined) return;
    const away = Math.abs(u.valToPos(value, series.scale) - top);
    if (away < distance) {
      distance = away;
      best = position - 1;
    }
  });
  return best;
}
