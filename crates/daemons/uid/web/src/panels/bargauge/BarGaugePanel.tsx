// A bar a value, lying or standing.

import { useMemo, type CSSProperties, type ReactNode } from 'react';
import { displayProcessor, displayText } from '../../lib/field/display';
import { withAlpha, type ThemeName } from '../../lib/field/palette';
import { asBoolean, asNumber, oneOf, type JsonObject } from '../../lib/json';
import type { TimeZone } from '../../lib/time/zone';
import { panelValues, parseReduceOptions, type PanelValue } from '../shared/values';
import type { PanelProps } from '../types';

interface BarGaugeOptions {
  readonly mode: 'basic' | 'lcd' | 'gradient';
  readonly valueMode: 'color' | 'text' | 'hidden';
  readonly names: 'auto' | 'top' | 'left' | 'hidden';
  readonly orientation: 'auto' | 'horizontal' | 'vertical';
  readonly unfilled: boolean;
  readonly minHeight: number;
  readonly maxHeight: number;
}

export function parseBarGaugeOptions(options: JsonObject): BarGaugeOptions {
  return {
    mode: oneOf(options['displayMode'], ['basic', 'lcd', 'gradient'], 'gradient'),
    valueMode: oneOf(options['valueMode'], ['color', 'text', 'hidden'], 'color'),
    names: oneOf(options['namePlacement'], ['auto', 'top', 'left', 'hidden'], 'auto'),
    orientation: oneOf(options['orientation'], ['auto', 'horizontal', 'vertical'], 'auto'),
    unfilled: asBoolean(options['showUnfilled'], true),
    minHeight: asNumber(options['minVizHeight']) ?? 16,
    maxHeight: asNumber(options['maxVizHeight']) ?? 300,
  };
}

const CELLS = 28;

export function BarGaugePanel({ panel, frames, width, height, zone, theme }: PanelProps): ReactNode {
  const options = useMemo(() => parseBarGaugeOptions(panel.options), [panel.options]);
  const values = useMemo(
    () => panelValues({ frames, options: parseReduceOptions(panel.options), theme, zone }),
    [frames, panel.options, theme, zone],
  );
  if (values.length === 0) return <p className="panel-message">No number field to show</p>;
  const vertical = options.orientation === 'vertical' || (options.orientation === 'auto' && width < height);
  const onTop = options.names === 'top' || (options.names === 'auto' && height / values.length > 46);
  return (
    <ul className={`bargauge ${vertical ? 'is-vertical' : onTop ? 'names-top' : 'names-left'}`}>
      {values.map((item) => (
        <li
          key={item.key}
          style={
            vertical ? undefined : { minHeight: options.minHeight, maxHeight: options.maxHeight + (onTop ? 20 : 0) }
          }
          title={`${item.name}: ${displayText(item.value)}`}
        >
          {options.names !== 'hidden' && <span className="bargauge-name truncate">{item.name}</span>}
          <Bar item={item} options={options} theme={theme} vertical={vertical} zone={zone} />
          {options.valueMode !== 'hidden' && (
            <span
              className="bargauge-value"
              style={options.valueMode === 'color' ? { color: item.value.color } : undefined}
            >
              {displayText(item.value)}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

interface BarProps {
  readonly item: PanelValue;
  readonly options: BarGaugeOptions;
  readonly vertical: boolean;
  readonly theme: ThemeName;
  readonly zone: TimeZone;
}

function Bar({ item, options, vertical, theme, zone }: BarProps): ReactNode {
  const share = Math.min(Math.max(item.value.share, 0), 1);
  const { color } = item.value;
  if (options.mode === 'lcd') return <LcdBar item={item} share={share} theme={theme} vertical={vertical} zone={zone} />;
  const fill: CSSProperties = {
    [vertical ? 'height' : 'width']: `${Math.max(share * 100, 0.5)}%`,
    background:
      options.mode === 'gradient'
        ? `linear-gradient(${vertical ? 'to top' : 'to right'}, ${withAlpha(color, 0.35)}, ${color})`
        : withAlpha(color, 0.55),
    [vertical ? 'borderTop' : 'borderRight']: `2px solid ${color}`,
  };
  return (
    <span className={options.unfilled ? 'bargauge-track' : 'bargauge-track is-bare'}>
      <span className="bargauge-fill" style={fill} />
    </span>
  );
}

interface LcdBarProps {
  readonly item: PanelValue;
  readonly share: number;
  readonly vertical: boolean;
  readonly theme: ThemeName;
  readonly zone: TimeZone;
}

/** Every cell has the colour its own value would have. */
function LcdBar({ item, share, vertical, theme, zone }: LcdBarProps): ReactNode {
  const { min, max } = item.bounds;
  const display = displayProcessor(item.field, { theme, zone, seriesIndex: 0, name: item.name }, item.bounds);
  const cells = Array.from({ length: CELLS }, (_, index) => {
    const at = (index + 0.5) / CELLS;
    const { color } = display(min + (max - min) * at);
    return <i key={index} style={{ background: withAlpha(color, at <= share ? 0.95 : 0.16) }} />;
  });
  return <span className={vertical ? 'bargauge-lcd is-vertical' : 'bargauge-lcd'}>{cells}</span>;
}
