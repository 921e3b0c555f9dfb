import { useMemo, type ReactNode } from 'react';
import { asBoolean, oneOf } from '../../lib/json';
import type { PanelProps } from '../types';
import { LogList } from './LogList';
import { dedupLines, logLines } from './lines';

/** Log lines on a dashboard. */
export function LogsPanel({ panel, frames, zone, onFilter }: PanelProps): ReactNode {
  const { options } = panel;
  const ascending = options['sortOrder'] === 'Ascending';
  const dedup = oneOf(options['dedupStrategy'], ['none', 'exact', 'numbers', 'signature'], 'none');
  const lines = useMemo(() => {
    const newest = logLines(frames);
    return dedupLines(ascending ? newest.reverse() : newest, dedup);
  }, [frames, ascending, dedup]);
  return (
    <LogList
      details={asBoolean(options['enableLogDetails'], true)}
      lines={lines}
      onFilter={onFilter}
      pretty={asBoolean(options['prettifyLogMessage'])}
      showLabels={asBoolean(options['showLabels'])}
      showTime={asBoolean(options['showTime'], true)}
      wrap={asBoolean(options['wrapLogMessage'])}
      zone={zone}
    />
  );
}
