// Shares of a whole: pie or ring, with a legend that carries values and percent.

import { useMemo, useState, type ReactNode } from 'react';
import { displayText } from '../../lib/field/display';
import { readableOn, seriesColor } from '../../lib/field/palette';
import { asObject, asStrings, oneOf } from '../../lib/json';
import { parseLegendOptions } from '../shared/legend-options';
import { panelValues, parseReduceOptions, type PanelValue } from '../shared/values';
import type { PanelProps } from '../types';

export interface Slice {
  readonly item: PanelValue;
  readonly color: string;
  /** 0–1 of the whole */
  readonly from: number;
  readonly to: number;
}

/** Slices of the positive values, one after the other. */
export function slices(values: readonly PanelValue[], colorOf: (item: PanelValue, index: number) => string): Slice[] {
  const total = values.reduce((sum, { value }) => sum + Math.max(value.numeric || 0, 0), 0);
  let at = 0;
  return values.map((item, index) => {
    const share = total === 0 ? 0 : Math.max(item.value.numeric || 0, 0) / total;
    const slice = { item, color: colorOf(item, index), from: at, to: at + share };
    at += share;
    return slice;
  });
}

export function PieChartPanel({ panel, frames, width, height, zone, theme }: PanelProps): ReactNode {
  const { options } = panel;
  const legend = parseLegendOptions(options);
  const legendValues = asStrings(asObject(options['legend'])['values']);
  const labels = asStrings(options['displayLabels']);
  const donut = options['pieType'] === 'donut';
  const sort = oneOf(options['sort'], ['desc', 'asc', 'none'], 'desc');
  const [active, setActive] = useState<string>();

  const parts = useMemo(() => {
    const values = panelValues({ frames, options: parseReduceOptions(options), theme, zone });
    const colors = new Map(
      values.map((item, index) => [
        item.key,
        item.field.config.color === undefined || item.field.config.color.mode === 'thresholds'
          ? seriesColor(index, theme)
          : item.value.color,
      ]),
    );
    const sign = sort === 'asc' ? 1 : -1;
    const ordered = sort === 'none' ? values : [...values].sort((a, b) => sign * (a.value.numeric - b.value.numeric));
    return slices(ordered, (item) => colors.get(item.key) ?? item.value.color);
  }, [frames, options, theme, zone, sort]);

  if (parts.length === 0) return <p className="panel-message">No number field to show</p>;
  const right = legend.placement === 'right' && width > 280;
  const room = legend.show ? (right ? Math.min(width * 0.5, 220) : Math.min(parts.length * 22 + 26, height * 0.4)) : 0;
  const size = Math.max(Math.min(right ? width - room : width, right ? height : height - room) - 8, 20);
  return (
    <div className={`pie ${right ? 'pie-right' : 'pie-bottom'}`}>
      <svg aria-label={`Pie chart: ${panel.title}`} height={size} role="img" viewBox="-1 -1 2 2" width={size}>
        {parts.map((part) => (
          <path
            className={active !== undefined && active !== part.item.key ? 'is-dim' : undefined}
            d={slicePath(part, donut)}
            fill={part.color}
            key={part.item.key}
            onPointerEnter={() => setActive(part.item.key)}
            onPointerLeave={() => setActive(undefined)}
          >
            <title>{`${part.item.name}: ${displayText(part.item.value)} (${percent(part)})`}</title>
          </path>
        ))}
        {labels.length > 0 &&
          parts
            .filter((part) => part.to - part.from > 0.05)
            .map((part) => <SliceLabel donut={donut} key={part.item.key} kinds={labels} part={part} />)}
      </svg>
      {legend.show && (
        <table aria-label="Legend" className="legend-table" style={right ? { maxWidth: room } : undefined}>
          <tbody>
            {parts.map((part) => (
              <tr
                key={part.item.key}
                onPointerEnter={() => setActive(part.item.key)}
                onPointerLeave={() => setActive(undefined)}
              >
                <td>
                  <span className="legend-name">
                    <span className="swatch" style={{ background: part.color }} />
                    <span className="truncate">{part.item.name}</span>
                  </span>
                </td>
                {legendValues.includes('value') && <td>{displayText(part.item.value)}</td>}
                {legendValues.includes('percent') && <td>{percent(part)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function percent({ from, to }: Slice): string {
  return `${Math.round((to - from) * 100)}%`;
}

const HOLE = 0.6;

function slicePath({ from, to }: Slice, donut: boolean): string {
  if (to - from <= 0) return '';
  // A full circle has no arc of its own: its ends would meet.
  const end = Math.min(to, from + 0.99999);
  const point = (share: number, radius: number): string => {
    const angle = share * 2 * Math.PI - Math.PI / 2;
    return `${(Math.cos(angle) * radius).toFixed(5)} ${(Math.sin(angle) * radius).toFixed(5)}`;
  };
  const large = end - from > 0.5 ? 1 : 0;
  if (!donut) return `M0 0L${point(from, 1)}A1 1 0 ${large} 1 ${point(end, 1)}Z`;
  return `M${point(from, 1)}A1 1 0 ${large} 1 ${point(end, 1)}L${point(end, HOLE)}A${HOLE} ${HOLE} 0 ${large} 0 ${point(from, HOLE)}Z`;
}

function SliceLabel({
  part,
  donut,
  kinds,
}: {
  readonly part: Slice;
  readonly donut: boolean;
  readonly kinds: readonly string[];
}): ReactNode {
  const angle = ((part.from + part.to) / 2) * 2 * Math.PI - Math.PI / 2;
  const radius = donut ? (1 + HOLE) / 2 : 0.65;
  const texts: Readonly<Record<string, string>> = {
    name: part.item.name,
    value: displayText(part.item.value),
    percent: percent(part),
  };
  return (
    <text
      className="pie-label"
      fill={readableOn(part.color)}
      fontSize={0.12}
      textAnchor="middle"
      x={Math.cos(angle) * radius}
      y={Math.sin(angle) * radius + 0.04}
    >
      {kinds.map((kind) => texts[kind] ?? '').join(' ')}
    </text>
  );
}
