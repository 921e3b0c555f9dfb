// A frame as a table: sticky header, sorting by click, only the rows in view drawn.

import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState, type CSSProperties, type ReactNode } from 'react';
import type { DataFrame } from '../../lib/data/frame';
import { displayText, type DisplayValue } from '../../lib/field/display';
import { readableOn, withAlpha, type ThemeName } from '../../lib/field/palette';
import type { TimeZone } from '../../lib/time/zone';
import { nextSorting, sortedRows, tableColumns, type Sorting, type TableColumn } from './columns';

export interface DataTableProps {
  readonly frame: DataFrame;
  readonly theme: ThemeName;
  readonly zone: TimeZone;
  readonly name: string;
  readonly showHeader?: boolean;
  readonly rowHeight?: number;
  readonly initialSorting?: Sorting | undefined;
}

export function DataTable({
  frame,
  theme,
  zone,
  name,
  showHeader = true,
  rowHeight = 32,
  initialSorting,
}: DataTableProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState(initialSorting);
  const columns = useMemo(() => tableColumns(frame, theme, zone), [frame, theme, zone]);
  const rows = useMemo(() => sortedRows(frame, columns, sorting), [frame, columns, sorting]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const template = columns
    .map(({ width, minWidth, grow }) =>
      width === undefined ? `minmax(${minWidth * grow}px, ${grow}fr)` : `${width}px`,
    )
    .join(' ');
  const least = columns.reduce((sum, { width, minWidth, grow }) => sum + (width ?? minWidth * grow), 0);
  return (
    <div aria-label={name} aria-rowcount={rows.length + 1} className="table" ref={scroller} role="table" tabIndex={0}>
      <div className="table-inner" style={{ gridTemplateColumns: template, minWidth: least }}>
        {showHeader && (
          <div className="table-row table-head" role="row">
            {columns.map((column) => {
              const active = sorting?.column === column.name;
              return (
                <div
                  aria-sort={active ? (sorting.descending ? 'descending' : 'ascending') : 'none'}
                  className={`table-cell align-${column.align}`}
                  key={column.name}
                  role="columnheader"
                >
                  <button
                    onClick={() => setSorting(nextSorting(sorting, column.name))}
                    title={`Sort by ${column.name}`}
                    type="button"
                  >
                    <span className="truncate">{column.name}</span>
                    {active && <span aria-hidden="true">{sorting.descending ? '↓' : '↑'}</span>}
                  </button>
                </div>
              );
            })}
          </div>
        )}
        <div className="table-body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index] ?? 0;
            const rowColor = columns.find((column) => column.cell.applyToRow);
            const background = rowColor === undefined ? undefined : rowColor.display(rowColor.field.values[row]).color;
            return (
              <div
                aria-rowindex={item.index + 2}
                className="table-row"
                key={item.key}
                role="row"
                style={{
                  height: rowHeight,
                  gridTemplateColumns: template,
                  transform: `translateY(${item.start}px)`,
                  background,
                }}
              >
                {columns.map((column) => (
                  <TableCell column={column} key={column.name} value={column.field.values[row]} />
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function TableCell({ column, value }: { readonly column: TableColumn; readonly value: unknown }): ReactNode {
  const shown = column.display(value);
  const text = displayText(shown);
  return (
    <div className={`table-cell align-${column.align}`} role="cell" style={cellColors(column, shown)} title={text}>
      {column.cell.kind === 'gauge' && (
        <span className="table-gauge">
          <span style={{ width: `${Math.min(Math.max(shown.share, 0), 1) * 100}%`, background: shown.color }} />
        </span>
      )}
      <span className="truncate">{text}</span>
    </div>
  );
}

function cellColors({ cell }: TableColumn, { color }: DisplayValue): CSSProperties | undefined {
  if (cell.applyToRow) return undefined;
  if (cell.kind === 'color-text') return { color };
  if (cell.kind !== 'color-background') return undefined;
  return {
    color: readableOn(color),
    background: cell.gradient ? `linear-gradient(120deg, ${color}, ${withAlpha(color, 0.75)})` : color,
  };
}
