// One panel: its heading, its queries, and the states around the drawing.

import { Component, memo, Suspense, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { errorText } from '../../api/http';
import { LoadingBar } from '../../components/Notice';
import { useElementSize } from '../../components/use-element-size';
import { useTheme } from '../../context/theme';
import type { Panel } from '../../dashboard/model';
import { planQueries } from '../../dashboard/query-plan';
import { interpolate } from '../../dashboard/variables/interpolate';
import { unsupportedTransformations } from '../../lib/transform/apply';
import { useQueries } from '../../model/query-client';
import { findPanelType } from '../../panels/registry';
import { addFilter } from '../explore/add-filter';
import { exploreUrl } from '../explore/url-state';
import { asQueryable, findDataSource } from './data-sources';
import { InspectDialog } from './InspectDialog';
import { preparePanelData, type PanelData } from './panel-data';
import { PanelHeader } from './PanelHeader';
import { panelLookup, type DashboardScope } from './scope';

export interface PanelFrameProps {
  readonly panel: Panel;
  readonly scope: DashboardScope;
  readonly onView: (key: string | undefined) => void;
  readonly viewed: boolean;
}

export const PanelFrame = memo(function PanelFrame({ panel, scope, onView, viewed }: PanelFrameProps): ReactNode {
  const { time, dataSources, dashboard } = scope;
  const { theme } = useTheme();
  const navigate = useNavigate();
  const [ref, size] = useElementSize();
  const [seenRef, seen] = useSeen();
  const [inspecting, setInspecting] = useState(false);
  const panelType = findPanelType(panel.type);

  const lookup = useMemo(() => panelLookup(panel, scope, time.range), [panel, scope, time.range]);
  // Rounded, so that a scroll bar coming and going does not ask the server again.
  const widthPx = Math.round(size.width / 50) * 50;
  const plan = useMemo(
    () =>
      planQueries({
        panel,
        range: time.range,
        widthPx,
        lookup,
        findDataSource: (reference) => asQueryable(findDataSource(dataSources, reference)),
        dashboardUid: dashboard.uid,
      }),
    [panel, time.range, widthPx, lookup, dataSources, dashboard.uid],
  );
  const enabled = seen && widthPx > 0 && panelType?.needsData === true;
  const results = useQueries({ range: plan.range, queries: plan.queries }, enabled);
  const data = useMemo<PanelData>(
    () => preparePanelData(panel, results.data ?? [], plan.queries, lookup),
    // The plan changes a moment before its results do; the old results belong to the same refIds.
    [panel, results.data, plan.queries, lookup],
  );

  const title = interpolate(panel.title, lookup);
  const explore = (): string | undefined => {
    const [first] = plan.queries;
    const source = first === undefined ? undefined : sourceOf(first);
    return first === undefined || source === undefined
      ? undefined
      : exploreUrl({ datasource: source, expr: first.expr, range: time.raw });
  };
  const onFilter = (label: string, value: string, operator: '=' | '!='): void => {
    const [first] = plan.queries;
    const source = first === undefined ? undefined : sourceOf(first);
    if (first === undefined || source === undefined) return;
    void navigate(
      exploreUrl({ datasource: source, expr: addFilter(first.expr, label, operator, value), range: time.raw }),
    );
  };

  const unsupported = unsupportedTransformations(panel.transformations);
  const warnings = [
    ...data.notices,
    ...(unsupported.length > 0 ? [`not supported yet: transformation ${unsupported.join(', ')}`] : []),
    ...(data.frames.length > 0 ? data.errors.map((error) => error.message) : []),
  ];
  return (
    <section
      aria-label={title === '' ? `Panel ${panel.id}` : title}
      className={`panel${panel.transparent ? ' is-transparent' : ''}`}
      data-explore-url={explore()}
      data-panel-key={panel.key}
      ref={seenRef}
    >
      <LoadingBar active={results.isFetching} />
      <PanelHeader
        description={interpolate(panel.description, lookup)}
        exploreUrl={explore}
        links={panel.links.map((link) => ({
          ...link,
          title: interpolate(link.title, lookup),
          url: interpolate(link.url, lookup),
        }))}
        onInspect={() => setInspecting(true)}
        onView={() => onView(viewed ? undefined : panel.key)}
        title={title}
        viewed={viewed}
        warnings={warnings}
      />
      <div className="panel-body" ref={ref}>
        {size.width > 0 && size.height > 0 && (
          <PanelErrorBoundary>
            <Suspense fallback={null}>
              <PanelContent
                data={data}
                error={results.error}
                height={size.height}
                pending={enabled && results.isPending && plan.queries.length > 0}
                plan={plan}
                props={{
                  panel,
                  frames: data.frames,
                  width: size.width,
                  height: size.height,
                  range: plan.range,
                  zone: time.zone,
                  theme,
                  interval: plan.interval,
                  lookup,
                  syncKey: dashboard.uid,
                  onZoom: time.setAbsolute,
                  onZoomOut: time.zoomOut,
                  onFilter,
                }}
                seen={seen}
              />
            </Suspense>
          </PanelErrorBoundary>
        )}
      </div>
      {inspecting && (
        <InspectDialog
          data={data}
          onClose={() => setInspecting(false)}
          panel={panel}
          plan={plan}
          theme={theme}
          zone={time.zone}
        />
      )}
    </section>
  );
});

function sourceOf(query: Readonly<Record<string, unknown>>): string | undefined {
  const source = query['datasource'];
  return typeof source === 'object' && source !== null && 'uid' in source && typeof source.uid === 'string'
    ? source.uid
    : undefined;
}

interface PanelContentProps {
  readonly props: Parameters<NonNullable<ReturnType<typeof findPanelType>>['Component']>[0];
  readonly data: PanelData;
  readonly plan: ReturnType<typeof planQueries>;
  readonly error: Error | null;
  readonly pending: boolean;
  readonly seen: boolean;
  readonly height: number;
}

function PanelContent({ props, data, plan, error, pending, seen }: PanelContentProps): ReactNode {
  const panelType = findPanelType(props.panel.type);
  if (panelType === undefined)
    return <p className="panel-message">Panel type “{props.panel.type}” is not supported yet</p>;
  const { Component } = panelType;
  if (!panelType.needsData) return <Component {...props} />;
  if (data.frames.length > 0) return <Component {...props} />;
  const [first] = data.errors;
  if (error !== null)
    return <PanelProblem message={errorText(error)} query={plan.queries.map((query) => query.expr).join('\n')} />;
  if (first !== undefined) return <PanelProblem message={first.message} query={first.query} />;
  if (plan.missing.length > 0)
    return <PanelProblem message={`Data source ${plan.missing.join(', ')} not found`} query="" />;
  if (plan.queries.length === 0) return <p className="panel-message">No query</p>;
  if (pending || !seen) return null;
  return <NoData expr={plan.queries[0]?.expr ?? ''} />;
}

function PanelProblem({ message, query }: { readonly message: string; readonly query: string }): ReactNode {
  return (
    <div className="panel-error" role="alert">
      <strong>{message}</strong>
      {query !== '' && <pre>{query}</pre>}
    </div>
  );
}

/** Nothing came back; a selector in the query shows where to look. */
function NoData({ expr }: { readonly expr: string }): ReactNode {
  const selector = /[\w:]*\{[^}]*\}/.exec(expr)?.[0] ?? '';
  return (
    <div className="panel-message">
      <strong>No data</strong>
      <span className="muted panel-message-cause">
        {selector === ''
          ? 'The query returned nothing for this time range'
          : `Nothing for ${selector} in this time range`}
      </span>
    </div>
  );
}

/** True once the element has been near the window; panels further down ask nothing until then. */
function useSeen(): [(element: HTMLElement | null) => void, boolean] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [seen, setSeen] = useState(false);
  const done = useRef(false);
  useEffect(() => {
    if (element === null || done.current) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        done.current = true;
        setSeen(true);
        observer.disconnect();
      },
      { rootMargin: '200px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, seen];
}

/** A panel that breaks takes no other one with it. */
class PanelErrorBoundary extends Component<{ readonly children: ReactNode }, { readonly error: Error | undefined }> {
  override state: { readonly error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { readonly error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return <PanelProblem message={`This panel could not be drawn: ${this.state.error.message}`} query="" />;
  }
}
