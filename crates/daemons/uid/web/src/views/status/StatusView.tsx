// What is scraped, and how that goes.

import { useState, type ReactNode } from 'react';
import { errorText } from '../../api/http';
import type { ScrapeTarget } from '../../api/types/prometheus';
import type { DataSource } from '../../api/types/settings';
import { EmptyState, ErrorNotice, LoadingBar } from '../../components/Notice';
import { TopBar } from '../../components/TopBar';
import { formatLabels } from '../../lib/field/names';
import { formatDateTime, fromNow } from '../../lib/time/format';
import { formatWithUnit } from '../../lib/units/format';
import { useTargets } from '../../model/prometheus-client';
import { useSettings } from '../../model/session-client';
import { groupTargets } from './group';

export function StatusView(): ReactNode {
  const settings = useSettings();
  const sources = (settings.data?.dataSources ?? []).filter((source) => source.type === 'prometheus');
  return (
    <>
      <TopBar title="Status" />
      <LoadingBar active={settings.isFetching} />
      <div className="page">
        {settings.isSuccess && sources.length === 0 && (
          <EmptyState title="No Prometheus data source yet">
            <p>Targets are read from Prometheus data sources. Add one to the provisioning folder.</p>
          </EmptyState>
        )}
        {sources.map((source) => (
          <SourceTargets key={source.uid} source={source} />
        ))}
      </div>
    </>
  );
}

const BADGES: Readonly<Record<string, string>> = { up: 'badge-good', down: 'badge-bad' };

function SourceTargets({ source }: { readonly source: DataSource }): ReactNode {
  const targets = useTargets(source);
  const [troubled, setTroubled] = useState(false);
  const all = targets.data ?? [];
  const down = all.filter((target) => target.health !== 'up').length;
  const pools = groupTargets(troubled ? all.filter((target) => target.health !== 'up') : all);
  return (
    <>
      <div className="list-filter">
        <h2 className="source-name">Targets of {source.name}</h2>
        {targets.isSuccess && (
          <span className="list-tags">
            <span className="badge badge-good">{all.length - down} up</span>
            {down > 0 && <span className="badge badge-bad">{down} down</span>}
            {down > 0 && (
              <button aria-pressed={troubled} className="tag" onClick={() => setTroubled(!troubled)} type="button">
                Only those with trouble
              </button>
            )}
          </span>
        )}
      </div>
      <LoadingBar active={targets.isFetching && targets.data === undefined} />
      {targets.isError && (
        <ErrorNotice
          message={errorText(targets.error)}
          onRetry={() => void targets.refetch()}
          title={`${source.name} does not tell its targets`}
        />
      )}
      {targets.isSuccess && all.length === 0 && (
        <EmptyState title="Nothing is scraped yet">
          <p>Targets come from scrape_configs in the configuration of {source.name}.</p>
        </EmptyState>
      )}
      {pools.map((pool) => (
        <section aria-label={pool.name} className="card list" key={pool.name}>
          <h2>
            {pool.name}
            <span className="muted">
              {pool.up} of {pool.targets.length} up
            </span>
          </h2>
          <div className="plain-table">
            <table>
              <thead>
                <tr>
                  <th scope="col">State</th>
                  <th scope="col">Address</th>
                  <th scope="col">Labels</th>
                  <th className="align-right" scope="col">
                    Last scrape
                  </th>
                  <th className="align-right" scope="col">
                    Took
                  </th>
                </tr>
              </thead>
              <tbody>
                {pool.targets.map((target) => (
                  <TargetRow
                    key={target.url + formatLabels(target.labels)}
                    now={targets.dataUpdatedAt}
                    target={target}
                  />
                ))}
              </tbody>
            </table>
          </div>
        </section>
      ))}
    </>
  );
}

function TargetRow({ target, now }: { readonly target: ScrapeTarget; readonly now: number }): ReactNode {
  const scraped = Date.parse(target.lastScrape);
  const never = Number.isNaN(scraped) || scraped <= 0;
  const { job: _job, ...labels } = target.labels;
  return (
    <>
      <tr>
        <td>
          <span className={`badge ${BADGES[target.health] ?? 'badge-plain'}`}>{target.health}</span>
        </td>
        <td className="mono">{target.url}</td>
        <td>
          <code className="muted">{formatLabels(labels)}</code>
        </td>
        <td className="align-right" title={never ? undefined : formatDateTime(scraped, 'browser')}>
          {never ? 'never' : fromNow(scraped, now)}
        </td>
        <td className="align-right">{formatWithUnit('s', target.lastScrapeDuration)}</td>
      </tr>
      {target.lastError !== '' && (
        <tr className="row-error">
          <td />
          <td colSpan={4}>{target.lastError}</td>
        </tr>
      )}
    </>
  );
}
