// What a panel asked and what it got: queries, data as a table, the panel's JSON.

import { useState, type ReactNode } from 'react';
import { Dialog } from '../../components/Dialog';
import { copyText } from '../../components/ShareButton';
import type { Panel } from '../../dashboard/model';
import type { QueryPlan } from '../../dashboard/query-plan';
import { numberFields } from '../../lib/data/frame';
import type { ThemeName } from '../../lib/field/palette';
import type { TimeZone } from '../../lib/time/zone';
import { joinByField } from '../../lib/transform/join';
import { DataTable } from '../../panels/table/DataTable';
import type { PanelData } from './panel-data';

export interface InspectDialogProps {
  readonly panel: Panel;
  readonly plan: QueryPlan;
  readonly data: PanelData;
  readonly theme: ThemeName;
  readonly zone: TimeZone;
  readonly onClose: () => void;
}

const TABS = ['Data', 'Queries', 'JSON'] as const;

export function InspectDialog({ panel, plan, data, theme, zone, onClose }: InspectDialogProps): ReactNode {
  const [tab, setTab] = useState<(typeof TABS)[number]>('Data');
  const isSeries = data.frames.length > 1 && data.frames.every((frame) => numberFields(frame).length > 0);
  const [frame] = isSeries ? joinByField(data.frames, {}) : data.frames;
  const queries = JSON.stringify(plan.queries, null, 2);
  const { key: _key, scope: _scope, ...model } = panel;
  const json = JSON.stringify(model, null, 2);
  const text = tab === 'Queries' ? queries : json;
  return (
    <Dialog onClose={onClose} title={`Inspect: ${panel.title}`} wide>
      <div aria-label="Inspect" className="tabs" role="tablist">
        {TABS.map((name) => (
          <button aria-selected={tab === name} key={name} onClick={() => setTab(name)} role="tab" type="button">
            {name}
          </button>
        ))}
      </div>
      {data.errors.map((error) => (
        <p className="hint hint-bad" key={error.message + error.query}>
          {error.message}
        </p>
      ))}
      <div className="inspect-body" role="tabpanel">
        {tab === 'Data' ? (
          frame === undefined ? (
            <p className="panel-message">No data</p>
          ) : (
            <DataTable frame={frame} name={`Data of ${panel.title}`} theme={theme} zone={zone} />
          )
        ) : (
          <>
            <button className="button" onClick={() => void copyText(text)} type="button">
              Copy
            </button>
            <pre className="mono">{text}</pre>
          </>
        )}
      </div>
    </Dialog>
  );
}
