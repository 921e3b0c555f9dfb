// What every panel of an open dashboard shares.

import type { DataSource } from '../../api/types/settings';
import type { Dashboard, Panel } from '../../dashboard/model';
import type { Lookup } from '../../dashboard/variables/interpolate';
import { stateLookup, type VariableState } from '../../dashboard/variables/resolve';
import type { TimeRange } from '../../lib/time/range';
import type { TimeState } from '../../components/time/use-time';

export interface DashboardScope {
  readonly dashboard: Dashboard;
  readonly time: TimeState;
  readonly states: readonly VariableState[];
  readonly dataSources: readonly DataSource[];
}

/** Names as one panel sees them: its own copy's values first, then the dashboard's, then the built-in ones. */
export function panelLookup(panel: Panel, { dashboard, states }: DashboardScope, range: TimeRange): Lookup {
  const outer = stateLookup(states, range);
  return (name) => {
    const scoped = panel.scope.get(name);
    if (scoped !== undefined) {
      const isMulti = states.some(({ variable }) => variable.name === name && (variable.multi || variable.includeAll));
      return { name, values: [scoped.value], texts: [scoped.text], isMulti };
    }
    if (name === '__dashboard') return { name, values: [dashboard.title], texts: [dashboard.title], isMulti: false };
    return outer(name);
  };
}
