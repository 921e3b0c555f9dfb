// Log lines as rows, only those in view drawn. A click opens a line's fields.

import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState, type ReactNode } from 'react';
import { formatDateTimeMs } from '../../lib/time/format';
import type { TimeZone } from '../../lib/time/zone';
import { LogDetails } from './LogDetails';
import { commonLabels, prettify, uniqueLabels, type DedupedLine } from './lines';

export interface LogListProps {
  readonly lines: readonly DedupedLine[];
  readonly zone: TimeZone;
  readonly showTime: boolean;
  readonly showLabels: boolean;
  readonly wrap: boolean;
  readonly pretty: boolean;
  readonly details: boolean;
  readonly onFilter?: ((label: string, value: string, operator: '=' | '!=') => void) | undefined;
}

const ROW_PX = 22;

export function LogList({
  lines,
  zone,
  showTime,
  showLabels,
  wrap,
  pretty,
  details,
  onFilter,
}: LogListProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [columns, setColumns] = useState<readonly string[]>([]);
  const common = useMemo(() => commonLabels(lines), [lines]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 20,
    getItemKey: (index) => lines[index]?.key ?? index,
  });

  const toggle = (key: string): void => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  const toggleColumn = (name: string): void =>
    setColumns(columns.includes(name) ? columns.filter((column) => column !== name) : [...columns, name]);

  const items = virtual.getVirtualItems();
  return (
    <div
      className={wrap ? 'log-list is-wrapped' : 'log-list'}
      ref={scroller}
      role="log"
      aria-live="off"
      aria-label="Log lines"
      tabIndex={0}
    >
      <div
        style={{
          height: virtual.getTotalSize(),
          minWidth: '100%',
          position: 'relative',
          width: wrap ? '100%' : 'max-content',
        }}
      >
        <div style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
          {items.map((item) => {
            const line = lines[item.index];
            if (line === undefined) return null;
            const isOpen = open.has(line.key);
            const shown = pretty ? prettify(line.text) : line.text;
            return (
              <div data-index={item.index} key={item.key} ref={virtual.measureElement}>
                <button
                  aria-expanded={details ? isOpen : undefined}
                  className={`log-row level-${line.level}`}
                  disabled={!details}
                  onClick={() => {
                    // Selecting text is not a click.
                    if ((window.getSelection()?.toString() ?? '') === '') toggle(line.key);
                  }}
                  type="button"
                >
                  <span className="visually-hidden">{line.level}</span>
                  {line.duplicates > 0 && <span className="log-count">{line.duplicates + 1}×</span>}
                  {showTime && <time className="log-time">{formatDateTimeMs(line.time, zone)}</time>}
                  {showLabels && (
                    <span className="log-labels">
                      {Object.entries(uniqueLabels(line, common)).map(([name, value]) => (
                        <span key={name}>
                          {name}={value}
                        </span>
                      ))}
                    </span>
                  )}
                  <span className="log-text">
                    {columns.length === 0
                      ? shown
                      : columns.map((name) => <span key={name}>{`${name}=${line.labels[name] ?? ''} `}</span>)}
                  </span>
                </button>
                {isOpen && (
                  <LogDetails
                    columns={columns}
                    line={line}
                    onColumn={toggleColumn}
                    {...(onFilter === undefined ? {} : { onFilter })}
                  />
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
