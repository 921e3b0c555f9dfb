// Lines, bars and points over time.

import { useMemo, useState, type ReactNode } from 'react';
import { useElementSize } from '../../components/use-element-size';
import { parseLegendOptions, parseTooltipOptions } from '../shared/legend-options';
import type { PanelProps } from '../types';
import { ChartCanvas } from './ChartCanvas';
import { ChartLegend, toggleSeries } from './ChartLegend';
import { buildChart } from './series';

const NOTHING: ReadonlySet<string> = new Set();

export function TimeSeriesPanel(props: PanelProps): ReactNode {
  const { panel, frames, range, zone, theme, interval, syncKey, onZoom, onZoomOut } = props;
  const [hidden, setHidden] = useState(NOTHING);
  const [highlighted, setHighlighted] = useState<string>();
  const [ref, size] = useElementSize();
  const legend = useMemo(() => parseLegendOptions(panel.options), [panel.options]);
  const tooltip = useMemo(() => parseTooltipOptions(panel.options), [panel.options]);
  const chart = useMemo(
    () => buildChart({ frames, theme, zone, interval, hidden }),
    [frames, theme, zone, interval, hidden],
  );
  if (chart.series.length === 0) {
    return <p className="panel-message">The data has no time and number fields to draw</p>;
  }
  const names = chart.series.map((series) => series.name);
  // One line needs no key, unless the key carries figures.
  const withLegend = legend.show && (chart.series.length > 1 || legend.calcs.length > 0);
  return (
    <div className={`chart chart-${legend.placement}`}>
      <div className="chart-area" ref={ref}>
        {size.width > 0 && size.height > 0 && (
          <ChartCanvas
            chart={chart}
            height={size.height}
            hidden={hidden}
            highlighted={highlighted}
            name={panel.title}
            onZoom={onZoom}
            onZoomOut={onZoomOut}
            range={range}
            syncKey={syncKey}
            theme={theme}
            tooltip={tooltip}
            width={size.width}
            zone={zone}
          />
        )}
      </div>
      {withLegend && (
        <div className="chart-legend" style={legend.width === undefined ? undefined : { maxWidth: legend.width }}>
          <ChartLegend
            hidden={hidden}
            onHighlight={setHighlighted}
            onToggle={(name, alone) => setHidden(toggleSeries(hidden, names, name, alone))}
            options={legend}
            series={chart.series}
            zone={zone}
          />
        </div>
      )}
    </div>
  );
}
