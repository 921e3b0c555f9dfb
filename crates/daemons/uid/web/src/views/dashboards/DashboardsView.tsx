// All dashboards by folder, narrowed by words and tags.

import { useMemo, type ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { errorText } from '../../api/http';
import { Icon } from '../../components/Icon';
import { EmptyState, ErrorNotice, LoadingBar } from '../../components/Notice';
import { TopBar } from '../../components/TopBar';
import { useDashboardSearch } from '../../model/dashboard-client';
import { filterHits, groupByFolder, tagCounts } from './group';

const MAX_TAGS = 24;

export function DashboardsView(): ReactNode {
  const [params, setParams] = useSearchParams();
  const search = useDashboardSearch('');
  const query = params.get('query') ?? '';
  const tags = params.getAll('tag');
  const hits = useMemo(() => search.data ?? [], [search.data]);
  const shown = filterHits(hits, query, tags);
  const folders = groupByFolder(shown);

  const change = (edit: (next: URLSearchParams) => void): void =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        edit(next);
        return next;
      },
      { replace: true },
    );
  const toggleTag = (tag: string): void =>
    change((next) => {
      next.delete('tag');
      for (const item of tags.includes(tag) ? tags.filter((other) => other !== tag) : [...tags, tag])
        next.append('tag', item);
    });
  return (
    <>
      <TopBar title="Dashboards" />
      <LoadingBar active={search.isFetching} />
      <div className="page page-narrow">
        {search.isError && (
          <ErrorNotice
            message={errorText(search.error)}
            onRetry={() => void search.refetch()}
            title="The list could not be loaded"
          />
        )}
        {search.isSuccess && hits.length === 0 ? (
          <EmptyState title="No dashboards yet">
            <p>Dashboards come from JSON files in the folders that provisioning names, and from the HTTP API.</p>
          </EmptyState>
        ) : (
          <>
            <div className="list-filter">
              <input
                aria-label="Search dashboards"
                className="input"
                onChange={(event) =>
                  change((next) =>
                    event.target.value === '' ? next.delete('query') : next.set('query', event.target.value),
                  )
                }
                placeholder="Search dashboards"
                type="search"
                value={query}
              />
              <div aria-label="Tags" className="list-tags" role="group">
                {tagCounts(hits)
                  .slice(0, MAX_TAGS)
                  .map(([tag, count]) => (
                    <button
                      aria-pressed={tags.includes(tag)}
                      className="tag"
                      key={tag}
                      onClick={() => toggleTag(tag)}
                      type="button"
                    >
                      {tag} <span className="muted">{count}</span>
                    </button>
                  ))}
              </div>
            </div>
            {search.isSuccess && shown.length === 0 && <EmptyState title="Nothing matches" />}
            {folders.map((folder) => (
              <section aria-label={folder.title} className="card list" key={folder.title}>
                <h2>
                  <Icon name="folder" /> {folder.title} <span className="muted">{folder.hits.length}</span>
                </h2>
                <ul>
                  {folder.hits.map((hit) => (
                    <li key={hit.uid}>
                      <Link to={`/d/${encodeURIComponent(hit.uid)}`}>{hit.title}</Link>
                      <span className="list-tags">
                        {hit.tags.map((tag) => (
                          <span className="tag" key={tag}>
                            {tag}
                          </span>
                        ))}
                      </span>
                    </li>
                  ))}
                </ul>
              </section>
            ))}
          </>
        )}
      </div>
    </>
  );
}
