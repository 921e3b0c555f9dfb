import { useState, type ReactNode } from 'react';
import { displayName } from '../../lib/field/names';
import { asArray, asBoolean, asNumber, asObject, asString } from '../../lib/json';
import type { PanelProps } from '../types';
import { DataTable } from './DataTable';

const ROW_HEIGHTS: Readonly<Record<string, number>> = { sm: 32, md: 40, lg: 48 };

/** A table; with several frames, a choice between them. */
export function TablePanel({ panel, frames, theme, zone }: PanelProps): ReactNode {
  const { options } = panel;
  const [chosen, setChosen] = useState(asNumber(options['frameIndex']) ?? 0);
  const index = Math.min(Math.max(chosen, 0), frames.length - 1);
  const frame = frames[index];
  if (frame === undefined) return <p className="panel-message">No data</p>;
  const sort = asObject(asArray(options['sortBy'])[0]);
  const column = asString(sort['displayName']);
  return (
    <div className="table-panel">
      <DataTable
        frame={frame}
        initialSorting={column === '' ? undefined : { column, descending: asBoolean(sort['desc']) }}
        key={index}
        name={panel.title}
        rowHeight={ROW_HEIGHTS[asString(options['cellHeight'])] ?? 32}
        showHeader={asBoolean(options['showHeader'], true)}
        theme={theme}
        zone={zone}
      />
      {frames.length > 1 && (
        <select
          aria-label="Series shown"
          className="select"
          onChange={(event) => setChosen(Number(event.target.value))}
          value={index}
        >
          {frames.map((item, position) => {
            const field = item.fields.find((other) => other.type === 'number') ?? item.fields[0];
            return (
              <option key={position} value={position}>
                {field === undefined ? `Frame ${position + 1}` : displayName(field, item, frames)}
              </option>
            );
          })}
        </select>
      )}
    </div>
  );
}
