// Alerting rules of every Prometheus data source, by group.

import { useState, type ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { errorText } from '../../api/http';
import type { Rule, RuleGroup } from '../../api/types/prometheus';
import type { DataSource } from '../../api/types/settings';
import { Icon } from '../../components/Icon';
import { EmptyState, ErrorNotice, LoadingBar } from '../../components/Notice';
import { TopBar } from '../../components/TopBar';
import { formatLabels } from '../../lib/field/names';
import { formatDateTime, fromNow } from '../../lib/time/format';
import { formatDuration } from '../../lib/time/duration';
import { useRules } from '../../model/prometheus-client';
import { useSettings } from '../../model/session-client';
import { exploreUrl } from '../explore/url-state';
import { alertingGroups, countStates, STATES, type RuleState } from './filter';

export function AlertsView(): ReactNode {
  const settings = useSettings();
  const sources = (settings.data?.dataSources ?? []).filter((source) => source.type === 'prometheus');
  return (
    <>
      <TopBar title="Alerts" />
      <LoadingBar active={settings.isFetching} />
      <div className="page page-narrow">
        {settings.isSuccess && sources.length === 0 && (
          <EmptyState title="No Prometheus data source yet">
            <p>Rules are read from Prometheus data sources. Add one to the provisioning folder.</p>
          </EmptyState>
        )}
        {sources.map((source) => (
          <SourceRules key={source.uid} source={source} />
        ))}
      </div>
    </>
  );
}

const BADGES: Readonly<Record<string, string>> = { firing: 'badge-bad', pending: 'badge-warn', inactive: 'badge-good' };

function SourceRules({ source }: { readonly source: DataSource }): ReactNode {
  const rules = useRules(source);
  const [params, setParams] = useSearchParams();
  const state = STATES.find((item) => item === params.get('state'));
  const query = params.get('query') ?? '';
  const groups = rules.data ?? [];
  const counts = countStates(groups);
  const shown = alertingGroups(groups, state, query);
  const change = (name: string, value: string): void =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (value === '') next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return (
    <>
      <div className="list-filter">
        <h2 className="source-name">{source.name}</h2>
        <div aria-label={`State of rules of ${source.name}`} className="list-tags" role="group">
          {STATES.map((item: RuleState) => (
            <button
              aria-pressed={item === state}
              className="tag"
              key={item}
              onClick={() => change('state', item === state ? '' : item)}
              type="button"
            >
              {item} <span className="muted">{counts[item]}</span>
            </button>
          ))}
        </div>
        <input
          aria-label="Search rules"
          className="input"
          onChange={(event) => change('query', event.target.value)}
          placeholder="Search rules and labels"
          type="search"
          value={query}
        />
      </div>
      <LoadingBar active={rules.isFetching && rules.data === undefined} />
      {rules.isError && (
        <ErrorNotice
          message={errorText(rules.error)}
          onRetry={() => void rules.refetch()}
          title={`${source.name} does not tell its rules`}
        />
      )}
      {rules.isSuccess && groups.every((group) => group.rules.every((rule) => rule.type === 'recording')) && (
        <EmptyState title="No alerting rules">
          <p>Rules come from the files that rule_files names in the configuration of {source.name}.</p>
        </EmptyState>
      )}
      {rules.isSuccess && shown.length === 0 && (state !== undefined || query !== '') && (
        <EmptyState title="No rule matches" />
      )}
      {shown.map((group) => (
        <Group group={group} key={`${group.file}/${group.name}`} source={source} updatedAt={rules.dataUpdatedAt} />
      ))}
    </>
  );
}

interface GroupProps {
  readonly group: RuleGroup;
  readonly source: DataSource;
  readonly updatedAt: number;
}

function Group({ group, source, updatedAt }: GroupProps): ReactNode {
  return (
    <section aria-label={group.name} className="card list">
      <h2>
        {group.name} <span className="muted truncate">{group.file}</span>
        <span className="list-end muted">every {formatDuration(group.interval * 1000)}</span>
      </h2>
      <ul>
        {group.rules.map((rule) => (
          <RuleRow key={rule.name + rule.query} now={updatedAt} rule={rule} source={source} />
        ))}
      </ul>
    </section>
  );
}

function RuleRow({
  rule,
  source,
  now,
}: {
  readonly rule: Rule;
  readonly source: DataSource;
  readonly now: number;
}): ReactNode {
  const [open, setOpen] = useState(false);
  const severity = rule.labels['severity'];
  return (
    <li className="rule">
      <button aria-expanded={open} className="rule-head" onClick={() => setOpen(!open)} type="button">
        <Icon name={open ? 'chevronDown' : 'chevronRight'} size={14} />
        <span className={`badge ${BADGES[rule.state] ?? 'badge-plain'}`}>
          {rule.state === '' ? 'unknown' : rule.state}
        </span>
        <strong className="truncate">{rule.name}</strong>
        {severity !== undefined && <span className="tag">{severity}</span>}
        {rule.health === 'err' && <span className="badge badge-bad">error</span>}
        <span className="rule-summary truncate muted">
          {rule.annotations['summary'] ?? rule.annotations['description'] ?? ''}
        </span>
        {rule.alerts.length > 0 && (
          <span className="muted">{rule.alerts.length === 1 ? '1 alert' : `${rule.alerts.length} alerts`}</span>
        )}
      </button>
      {open && (
        <div className="rule-body">
          {rule.lastError !== '' && <p className="hint hint-bad">{rule.lastError}</p>}
          <pre>{rule.query}</pre>
          <p className="muted">
            {rule.duration > 0 && `for ${formatDuration(rule.duration * 1000)} · `}
            {Object.keys(rule.labels).length > 0 && `${formatLabels(rule.labels)} · `}
            <Link to={exploreUrl({ datasource: source.uid, expr: rule.query, range: { from: 'now-6h', to: 'now' } })}>
              Open in Explore
            </Link>
          </p>
          {Object.entries(rule.annotations).map(([name, text]) => (
            <p key={name}>
              <span className="muted">{name}</span> {text}
            </p>
          ))}
          {rule.alerts.map((alert) => {
            const since = Date.parse(alert.activeAt);
            return (
              <div className="rule-alert" key={formatLabels(alert.labels)}>
                <span className={`badge ${BADGES[alert.state] ?? 'badge-plain'}`}>{alert.state}</span>
                <code>{formatLabels(alert.labels)}</code>
                <span className="muted">value {alert.value}</span>
                {!Number.isNaN(since) && (
                  <time className="muted" dateTime={alert.activeAt} title={formatDateTime(since, 'browser')}>
                    since {fromNow(since, now)}
                  </time>
                )}
              </div>
            );
          })}
        </div>
      )}
    </li>
  );
}
