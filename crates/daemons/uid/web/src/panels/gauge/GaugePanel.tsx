// Round gauges: an arc filled up to the value, thresholds along its rim.

import { useMemo, type ReactNode } from 'react';
import { displayText, formatNumber } from '../../lib/field/display';
import { resolveColor, type ThemeName } from '../../lib/field/palette';
import { absoluteSteps, DEFAULT_THRESHOLDS } from '../../lib/field/thresholds';
import { asBoolean, asString } from '../../lib/json';
import type { TimeZone } from '../../lib/time/zone';
import { fitFontSize } from '../shared/fit-text';
import { divide } from '../shared/grid';
import { panelValues, parseReduceOptions, type PanelValue } from '../shared/values';
import type { PanelProps } from '../types';

/** Degrees, clockwise from the top: the gauge is open below. */
const START = -125;
const SWEEP = 250;

export function arcPath(cx: number, cy: number, radius: number, from: number, to: number): string {
  const point = (share: number): string => {
    const angle = ((START + SWEEP * share - 90) * Math.PI) / 180;
    return `${(cx + radius * Math.cos(angle)).toFixed(2)} ${(cy + radius * Math.sin(angle)).toFixed(2)}`;
  };
  const large = (to - from) * SWEEP > 180 ? 1 : 0;
  return `M${point(from)}A${radius} ${radius} 0 ${large} 1 ${point(to)}`;
}

export function GaugePanel({ panel, frames, width, height, zone, theme }: PanelProps): ReactNode {
  const values = useMemo(
    () => panelValues({ frames: withGaugeBounds(frames), options: parseReduceOptions(panel.options), theme, zone }),
    [frames, panel.options, theme, zone],
  );
  if (values.length === 0) return <p className="panel-message">No number field to show</p>;
  const cells = divide(values.length, width, height, asString(panel.options['orientation'], 'auto'), 1.2);
  return (
    <div
      className="stat-grid"
      style={{ gridTemplateColumns: `repeat(${cells.columns}, 1fr)`, gridAutoRows: `${height / cells.rows}px` }}
    >
      {values.map((item) => (
        <Gauge
          height={height / cells.rows}
          item={item}
          key={item.key}
          markers={asBoolean(panel.options['showThresholdMarkers'], true)}
          labels={asBoolean(panel.options['showThresholdLabels'])}
          named={values.length > 1}
          theme={theme}
          width={width / cells.columns}
          zone={zone}
        />
      ))}
    </div>
  );
}

/** A gauge without limits goes from 0 to 100; a share from 0 to 1. */
function withGaugeBounds(frames: PanelProps['frames']): PanelProps['frames'] {
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => ({
      ...field,
      config: { min: 0, max: field.config.unit === 'percentunit' ? 1 : 100, ...field.config },
    })),
  }));
}

interface GaugeProps {
  readonly item: PanelValue;
  readonly width: number;
  readonly height: number;
  readonly markers: boolean;
  readonly labels: boolean;
  readonly named: boolean;
  readonly theme: ThemeName;
  readonly zone: TimeZone;
}

function Gauge({ item, width, height, markers, labels, named, theme, zone }: GaugeProps): ReactNode {
  const nameHeight = named ? 20 : 0;
  const labelRoom = labels ? 18 : 0;
  const radius = Math.max(Math.min((width - 8 - labelRoom * 2) / 2, (height - nameHeight - 8 - labelRoom) / 1.6), 10);
  const thickness = Math.max(radius * 0.22, 4);
  const [cx, cy] = [width / 2, (height - nameHeight - radius * 1.58) / 2 + radius + labelRoom / 2];
  const share = Math.min(Math.max(item.value.share, 0), 1);
  const inner = radius - thickness / 2 - (markers ? 5 : 0);
  const { min, max } = item.bounds;
  const steps = absoluteSteps(item.field.config.thresholds ?? DEFAULT_THRESHOLDS, min, max);
  const shareOf = (value: number): number => (max > min ? Math.min(Math.max((value - min) / (max - min), 0), 1) : 0);
  const text = displayText(item.value);
  const fontSize = fitFontSize({
    text: text || '0',
    width: inner * 1.35,
    height: radius * 0.6,
    max: 48,
    min: 11,
    weight: 600,
  });
  return (
    <svg aria-label={`${item.name}: ${text}`} height={height} role="img" width={width}>
      <path className="gauge-track" d={arcPath(cx, cy, inner, 0, 1)} fill="none" strokeWidth={thickness} />
      {share > 0 && (
        <path d={arcPath(cx, cy, inner, 0, share)} fill="none" stroke={item.value.color} strokeWidth={thickness} />
      )}
      {markers &&
        steps.map((step, index) => {
          const from = shareOf(step.value);
          const to = shareOf(steps[index + 1]?.value ?? max);
          return to > from ? (
            <path
              d={arcPath(cx, cy, radius, from, to)}
              fill="none"
              key={index}
              stroke={resolveColor(step.color, theme)}
              strokeWidth={3}
            />
          ) : null;
        })}
      {labels &&
        steps
          .filter((step) => Number.isFinite(step.value) && step.value >= min && step.value <= max)
          .map((step) => {
            const angle = ((START + SWEEP * shareOf(step.value) - 90) * Math.PI) / 180;
            return (
              <text
                className="gauge-label"
                key={step.value}
                textAnchor={Math.cos(angle) > 0.2 ? 'start' : Math.cos(angle) < -0.2 ? 'end' : 'middle'}
                x={cx + (radius + 7) * Math.cos(angle)}
                y={cy + (radius + 7) * Math.sin(angle) + 4}
              >
                {formatNumber(item.field, step.value, zone)}
              </text>
            );
          })}
      <text
        fill={item.value.color}
        fontSize={fontSize}
        fontWeight={600}
        textAnchor="middle"
        x={cx}
        y={cy + fontSize * 0.3}
      >
        {text}
      </text>
      {named && (
        <text className="gauge-label" textAnchor="middle" x={cx} y={height - 6}>
          {item.name}
        </text>
      )}
    </svg>
  );
}
