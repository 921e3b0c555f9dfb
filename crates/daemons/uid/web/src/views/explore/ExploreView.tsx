// One query, asked at once: metrics as graph and table, logs as histogram and lines.

import { useCallback, useMemo, useState, type ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { errorText } from '../../api/http';
import { EmptyState, ErrorNotice, LoadingBar } from '../../components/Notice';
import { Icon } from '../../components/Icon';
import { Popover } from '../../components/Popover';
import { ShareButton } from '../../components/ShareButton';
import { TimeControls } from '../../components/time/TimeControls';
import { useTime } from '../../components/time/use-time';
import { useShortcuts } from '../../components/frame/use-shortcuts';
import { TopBar } from '../../components/TopBar';
import { parseDashboard } from '../../dashboard/parse';
import { planQueries } from '../../dashboard/query-plan';
import { stateLookup } from '../../dashboard/variables/resolve';
import type { RawRange } from '../../lib/time/range';
import { fromNow } from '../../lib/time/format';
import { useQueries } from '../../model/query-client';
import { useSettings } from '../../model/session-client';
import { asQueryable, findDataSource } from '../dashboard/data-sources';
import { addFilter } from './add-filter';
import { ExploreResults } from './ExploreResults';
import { readHistory, remember, type HistoryEntry } from './history';
import { QueryEditor } from './QueryEditor';
import { exploreParams, parseExplore, type ExploreState } from './url-state';

export function ExploreView(): ReactNode {
  const [params, setParams] = useSearchParams();
  const settings = useSettings();
  const state = useMemo(() => parseExplore(params), [params]);
  const sources = useMemo(
    () => (settings.data?.dataSources ?? []).filter(({ type }) => type === 'prometheus' || type === 'loki'),
    [settings.data],
  );
  const source = findDataSource(sources, state.datasource === '' ? undefined : state.datasource);
  const [draft, setDraft] = useState(state.expr);
  const [shownExpr, setShownExpr] = useState(state.expr);
  if (shownExpr !== state.expr) {
    // The address changed by itself: back, forward, or a filter.
    setShownExpr(state.expr);
    setDraft(state.expr);
  }

  const uid = source?.uid ?? state.datasource;
  const go = useCallback(
    (change: Partial<ExploreState>) =>
      setParams((old) => {
        const current = parseExplore(old);
        const next = exploreParams({
          ...current,
          datasource: current.datasource === '' ? uid : current.datasource,
          ...change,
        });
        const refresh = old.get('refresh');
        if (refresh !== null) next.set('refresh', refresh);
        return next;
      }),
    [setParams, uid],
  );
  const setRaw = useCallback((range: RawRange) => go({ range }), [go]);
  const setRefresh = useCallback(
    (refresh: string) =>
      setParams((old) => {
        const next = new URLSearchParams(old);
        if (refresh === '') next.delete('refresh');
        else next.set('refresh', refresh);
        return next;
      }),
    [setParams],
  );
  const time = useTime({ ...state.range, refresh: params.get('refresh') ?? '', zone: 'browser', setRaw, setRefresh });

  const plan = useMemo(() => {
    const [panel] = parseDashboard({ panels: [explorePanel(state.expr, source?.type)], schemaVersion: 42 }).panels;
    if (panel === undefined || source === undefined) return undefined;
    return planQueries({
      panel,
      range: time.range,
      widthPx: 1200,
      lookup: stateLookup([], time.range),
      findDataSource: () => asQueryable(source),
      dashboardUid: '',
    });
  }, [state.expr, source, time.range]);
  const results = useQueries({ range: time.range, queries: plan?.queries ?? [] }, plan !== undefined);

  const run = (): void => {
    const expr = draft.trim();
    if (expr === '' || source === undefined) return;
    remember({ datasource: source.uid, expr, at: Date.now() });
    if (expr === state.expr) time.refreshNow();
    else go({ expr });
  };
  useShortcuts([
    { keys: 't z', run: time.zoomOut },
    { keys: 't ArrowLeft', run: () => time.shift(-1) },
    { keys: 't ArrowRight', run: () => time.shift(1) },
    { keys: 't a', run: () => time.setAbsolute(time.range) },
  ]);

  return (
    <>
      <TopBar title="Explore">
        <TimeControls busy={results.isFetching} onRefresh={run} time={time} />
        <ShareButton />
      </TopBar>
      <LoadingBar active={results.isFetching} />
      <div className="page explore">
        {settings.isSuccess && sources.length === 0 ? (
          <EmptyState title="No data source yet">
            <p>
              Explore asks Prometheus and Loki data sources. Add one to the provisioning folder, and it appears here.
            </p>
          </EmptyState>
        ) : (
          <form
            className="card explore-query"
            onSubmit={(event) => {
              event.preventDefault();
              run();
            }}
          >
            <div className="explore-bar">
              <label className="visually-hidden" htmlFor="explore-source">
                Data source
              </label>
              <select
                className="select"
                id="explore-source"
                onChange={(event) => {
                  const chosen = sources.find((item) => item.uid === event.target.value);
                  go({ datasource: event.target.value, expr: chosen?.type === source?.type ? state.expr : '' });
                }}
                value={source?.uid ?? ''}
              >
                {sources.map((item) => (
                  <option key={item.uid} value={item.uid}>
                    {item.name}
                  </option>
                ))}
              </select>
              <HistoryButton
                onPick={(entry) => {
                  setDraft(entry.expr);
                  go({ datasource: entry.datasource, expr: entry.expr });
                }}
              />
              <span className="explore-gap" />
              <button className="button button-primary" title="Shift Enter" type="submit">
                <Icon name="play" size={14} />
                Run query
              </button>
            </div>
            <QueryEditor onChange={setDraft} onRun={run} range={time.range} source={source} value={draft} />
          </form>
        )}
        {results.error !== null && (
          <ErrorNotice message={errorText(results.error)} query={state.expr} title="The query failed" />
        )}
        {state.expr === ''
          ? sources.length > 0 && (
              <EmptyState title="Ask a question">
                <p>Type a query and press Shift Enter. Names complete while you type.</p>
              </EmptyState>
            )
          : results.data !== undefined && (
              <ExploreResults
                expr={state.expr}
                interval={plan?.interval ?? 15_000}
                onFilter={(label, value, operator) => go({ expr: addFilter(state.expr, label, operator, value) })}
                range={time.range}
                results={results.data}
                time={time}
              />
            )}
      </div>
    </>
  );
}

/** The query as a panel would hold it: metrics are asked twice, over time and for now. */
function explorePanel(expr: string, type: string | undefined): Record<string, unknown> {
  const isLoki = type === 'loki';
  const range = { refId: 'A', expr, range: true, instant: false, legendFormat: '', maxLines: 1000 };
  const instant = { refId: 'B', expr, range: false, instant: true, format: 'table', legendFormat: '' };
  return { id: 1, type: 'timeseries', targets: isLoki ? [range] : [range, instant] };
}

function HistoryButton({ onPick }: { readonly onPick: (entry: HistoryEntry) => void }): ReactNode {
  const [{ entries, now }, setShown] = useState<{ readonly entries: readonly HistoryEntry[]; readonly now: number }>({
    entries: [],
    now: 0,
  });
  return (
    <Popover
      label={
        <>
          <Icon name="history" size={14} />
          History
        </>
      }
      name="Query history"
      onOpenChange={(open) => {
        const opened = Date.now();
        if (open) setShown({ entries: readHistory(opened), now: opened });
      }}
    >
      {(close) => (
        <ul className="menu history">
          {entries.length === 0 && <li className="muted menu-note">Queries you run are kept here for two weeks</li>}
          {entries.map((entry) => (
            <li key={entry.datasource + entry.expr}>
              <button
                onClick={() => {
                  onPick(entry);
                  close();
                }}
                type="button"
              >
                <code className="truncate">{entry.expr}</code>
                <span className="muted">{fromNow(entry.at, now)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}
