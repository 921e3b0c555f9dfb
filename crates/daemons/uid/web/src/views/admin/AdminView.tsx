// What there is to know about this server: its version, data sources, and who is looking.

import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { errorText, request } from '../../api/http';
import { EmptyState, ErrorNotice, LoadingBar } from '../../components/Notice';
import { TopBar } from '../../components/TopBar';
import { asObject, asString } from '../../lib/json';
import { queryKeys } from '../../model/query-keys';
import { useSession, useSettings } from '../../model/session-client';
import { exploreUrl, DEFAULT_RANGE } from '../explore/url-state';

export function AdminView(): ReactNode {
  const settings = useSettings();
  const session = useSession();
  const health = useQuery({ queryKey: queryKeys.health, queryFn: async () => asObject(await request('api/health')) });
  const sources = settings.data?.dataSources ?? [];
  return (
    <>
      <TopBar title="Administration" />
      <LoadingBar active={settings.isFetching} />
      <div className="page page-narrow">
        {settings.isError && (
          <ErrorNotice
            message={errorText(settings.error)}
            onRetry={() => void settings.refetch()}
            title="The settings could not be loaded"
          />
        )}
        <section aria-label="Data sources" className="card list">
          <h2>Data sources</h2>
          {settings.isSuccess && sources.length === 0 && (
            <EmptyState title="None yet">
              <p>Data sources come from YAML files in provisioning/datasources and from the HTTP API.</p>
            </EmptyState>
          )}
          {sources.length > 0 && (
            <div className="plain-table">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">Type</th>
                    <th scope="col">Uid</th>
                    <th scope="col">
                      <span className="visually-hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {sources.map((source) => (
                    <tr key={source.uid}>
                      <td>
                        {source.name} {source.isDefault && <span className="tag">default</span>}
                      </td>
                      <td>{source.type}</td>
                      <td className="mono">{source.uid}</td>
                      <td className="align-right">
                        {(source.type === 'prometheus' || source.type === 'loki') && (
                          <Link to={exploreUrl({ datasource: source.uid, expr: '', range: DEFAULT_RANGE })}>
                            Explore
                          </Link>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </section>
        <section aria-label="Server" className="card list">
          <h2>Server</h2>
          <dl className="facts">
            <dt>Version</dt>
            <dd>{settings.data?.version ?? ''}</dd>
            <dt>Store</dt>
            <dd>{health.isError ? errorText(health.error) : asString(health.data?.['database'])}</dd>
            <dt>Logged in as</dt>
            <dd>{session.data?.name ?? ''}</dd>
          </dl>
        </section>
      </div>
    </>
  );
}
