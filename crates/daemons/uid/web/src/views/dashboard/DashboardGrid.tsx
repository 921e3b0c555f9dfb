// Panels on a grid of 24 columns; rows that open and close; or one panel alone.

import { useMemo, type CSSProperties, type ReactNode } from 'react';
import { Icon } from '../../components/Icon';
import { expandRepeats, placePanels, sections } from '../../dashboard/layout';
import type { Panel } from '../../dashboard/model';
import { interpolate } from '../../dashboard/variables/interpolate';
import { expandSelection } from '../../dashboard/variables/resolve';
import { EmptyState } from '../../components/Notice';
import { PanelFrame } from './PanelFrame';
import { panelLookup, type DashboardScope } from './scope';

export interface DashboardGridProps {
  readonly scope: DashboardScope;
  readonly openRows: ReadonlyMap<string, boolean>;
  readonly viewed: string | undefined;
  readonly onToggleRow: (key: string, open: boolean) => void;
  readonly onView: (key: string | undefined) => void;
}

export function DashboardGrid({ scope, openRows, viewed, onToggleRow, onView }: DashboardGridProps): ReactNode {
  const { dashboard, states } = scope;
  const rows = useMemo(
    () =>
      expandRepeats(sections(dashboard.panels), (name) => {
        const state = states.find(({ variable }) => variable.name === name);
        return state === undefined ? [] : expandSelection(state);
      }),
    [dashboard.panels, states],
  );
  const placed = useMemo(() => placePanels(rows, (row) => isOpen(row, openRows)), [rows, openRows]);

  if (viewed !== undefined) {
    const panel = rows.flatMap((row) => row.panels).find((item) => item.key === viewed);
    if (panel === undefined) {
      return (
        <EmptyState title="This dashboard has no such panel">
          <button className="button" onClick={() => onView(undefined)} type="button">
            Back to the dashboard
          </button>
        </EmptyState>
      );
    }
    return (
      <div className="grid-alone">
        <PanelFrame onView={onView} panel={panel} scope={scope} viewed />
      </div>
    );
  }
  return (
    <div className="grid">
      {placed.map((panel) =>
        panel.type === 'row' ? (
          <RowHeader
            count={rows.find((row) => row.row?.key === panel.key)?.panels.length ?? 0}
            key={panel.key}
            onToggle={() => onToggleRow(panel.key, !isOpen(panel, openRows))}
            open={isOpen(panel, openRows)}
            style={placement(panel)}
            title={interpolate(panel.title, panelLookup(panel, scope, scope.time.range))}
          />
        ) : (
          <div className="grid-item" key={panel.key} style={placement(panel)}>
            <PanelFrame onView={onView} panel={panel} scope={scope} viewed={false} />
          </div>
        ),
      )}
    </div>
  );
}

function isOpen(row: Panel, openRows: ReadonlyMap<string, boolean>): boolean {
  return openRows.get(row.key) ?? !row.collapsed;
}

/** As custom properties, so that a narrow window can lay the panels out differently. */
function placement({ gridPos: { x, y, w, h } }: Panel): CSSProperties {
  return { '--x': x + 1, '--y': y + 1, '--w': w, '--h': h } as CSSProperties;
}

interface RowHeaderProps {
  readonly title: string;
  readonly open: boolean;
  readonly count: number;
  readonly style: CSSProperties;
  readonly onToggle: () => void;
}

function RowHeader({ title, open, count, style, onToggle }: RowHeaderProps): ReactNode {
  return (
    <div className="grid-item row-header" style={style}>
      <button aria-expanded={open} onClick={onToggle} type="button">
        <Icon name={open ? 'chevronDown' : 'chevronRight'} />
        <h2 className="truncate">{title === '' ? 'Row' : title}</h2>
        {!open && (
          <span className="muted">
            {count} {count === 1 ? 'panel' : 'panels'}
          </span>
        )}
      </button>
    </div>
  );
}
