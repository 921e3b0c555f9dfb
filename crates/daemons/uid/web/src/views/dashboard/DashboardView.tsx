// An open dashboard.

import { useIsFetching } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { ApiError, errorText } from '../../api/http';
import type { DataSource } from '../../api/types/settings';
import { useShortcuts } from '../../components/frame/use-shortcuts';
import { EmptyState, ErrorNotice, LoadingBar } from '../../components/Notice';
import { ShareButton } from '../../components/ShareButton';
import { TimeControls } from '../../components/time/TimeControls';
import { useUrlTime } from '../../components/time/use-time';
import { TopBar } from '../../components/TopBar';
import { useDashboard, type LoadedDashboard } from '../../model/dashboard-client';
import { queryKeys } from '../../model/query-keys';
import { useSettings } from '../../model/session-client';
import { DashboardGrid } from './DashboardGrid';
import { DashboardLinks } from './PanelHeader';
import type { DashboardScope } from './scope';
import { useVariables } from './use-variables';
import { VariableBar } from './VariableBar';

const PATH = [{ label: 'Dashboards', to: '/dashboards' }];

export function DashboardView(): ReactNode {
  const { uid = '' } = useParams();
  const loaded = useDashboard(uid);
  const settings = useSettings();
  if (loaded.isError) {
    const missing = loaded.error instanceof ApiError && loaded.error.status === 404;
    return (
      <>
        <TopBar path={PATH} title={missing ? 'Not found' : 'Dashboard'} />
        <div className="page">
          <ErrorNotice
            message={errorText(loaded.error)}
            onRetry={() => void loaded.refetch()}
            title={missing ? 'There is no such dashboard' : 'The dashboard could not be loaded'}
          />
        </div>
      </>
    );
  }
  if (loaded.data === undefined || settings.data === undefined) {
    return (
      <>
        <TopBar path={PATH} title=" " />
        <LoadingBar active />
        {settings.isError && (
          <div className="page">
            <ErrorNotice
              message={errorText(settings.error)}
              onRetry={() => void settings.refetch()}
              title="The settings could not be loaded"
            />
          </div>
        )}
      </>
    );
  }
  return <OpenDashboard dataSources={settings.data.dataSources} key={uid} loaded={loaded.data} />;
}

interface OpenDashboardProps {
  readonly loaded: LoadedDashboard;
  readonly dataSources: readonly DataSource[];
}

function OpenDashboard({ loaded, dataSources }: OpenDashboardProps): ReactNode {
  const { dashboard, folderTitle } = loaded;
  const [params, setParams] = useSearchParams();
  const time = useUrlTime({ time: dashboard.time, refresh: dashboard.refresh, zone: dashboard.timezone });
  const variables = useVariables(dashboard, dataSources, time.range);
  const busy = useIsFetching({ queryKey: [queryKeys.panel(null)[0]] }) > 0;
  const [rows, setRows] = useState<ReadonlyMap<string, boolean>>(new Map());
  const viewed = params.get('viewPanel')?.replace(/^panel-/, '') ?? undefined;
  const kiosk = params.has('kiosk');

  const setParam = (name: string, value: string | undefined): void =>
    setParams((old) => {
      const next = new URLSearchParams(old);
      if (value === undefined) next.delete(name);
      else next.set(name, value);
      return next;
    });
  const setAllRows = (open: boolean): void =>
    setRows(new Map(dashboard.panels.filter((panel) => panel.type === 'row').map((panel) => [panel.key, open])));
  useDashboardShortcuts({ time, viewed, kiosk, setParam, setAllRows });
  useKiosk(kiosk);

  const { states } = variables;
  const scope = useMemo<DashboardScope | undefined>(
    () => (states === undefined ? undefined : { dashboard, time, states, dataSources }),
    [dashboard, time, states, dataSources],
  );
  const path = folderTitle === '' ? PATH : [...PATH, { label: folderTitle, to: '/dashboards' }];
  return (
    <>
      <TopBar path={path} title={dashboard.title}>
        <TimeControls busy={busy} intervals={dashboard.refreshIntervals} time={time} />
        <ShareButton range={time.range} />
      </TopBar>
      <div className="dashboard">
        {(dashboard.variables.length > 0 || dashboard.links.length > 0) && (
          <div className="dashboard-controls">
            {states !== undefined && <VariableBar onChoose={variables.choose} states={states} />}
            <DashboardLinks links={dashboard.links} />
          </div>
        )}
        {dashboard.panels.length === 0 && <EmptyState title="This dashboard has no panels yet" />}
        {scope === undefined ? (
          <LoadingBar active />
        ) : (
          <DashboardGrid
            onToggleRow={(key, open) => setRows(new Map([...rows, [key, open]]))}
            onView={(key) => setParam('viewPanel', key)}
            openRows={rows}
            scope={scope}
            viewed={viewed}
          />
        )}
      </div>
    </>
  );
}

/** Hides rail and bar while it is on. */
function useKiosk(on: boolean): void {
  useEffect(() => {
    document.documentElement.toggleAttribute('data-kiosk', on);
    return () => document.documentElement.removeAttribute('data-kiosk');
  }, [on]);
}

interface ShortcutInput {
  readonly time: ReturnType<typeof useUrlTime>;
  readonly viewed: string | undefined;
  readonly kiosk: boolean;
  readonly setParam: (name: string, value: string | undefined) => void;
  readonly setAllRows: (open: boolean) => void;
}

function useDashboardShortcuts({ time, viewed, kiosk, setParam, setAllRows }: ShortcutInput): void {
  const pointed = usePointedPanel();
  const navigate = useNavigate();
  useShortcuts([
    { keys: 'd r', run: time.refreshNow },
    { keys: 'd h', run: () => void navigate('/') },
    { keys: 'd k', run: () => setParam('kiosk', kiosk ? undefined : 'true') },
    { keys: 'd E', run: () => setAllRows(true) },
    { keys: 'd C', run: () => setAllRows(false) },
    { keys: 't z', run: time.zoomOut },
    { keys: 't ArrowLeft', run: () => time.shift(-1) },
    { keys: 't ArrowRight', run: () => time.shift(1) },
    { keys: 't a', run: () => time.setAbsolute(time.range) },
    {
      keys: 'v',
      run: () => setParam('viewPanel', viewed === undefined ? pointed.current?.dataset['panelKey'] : undefined),
    },
    {
      keys: 'e',
      run: () => {
        const url = pointed.current?.dataset['exploreUrl'];
        if (url !== undefined) void navigate(url);
      },
    },
    {
      keys: 'Escape',
      run: () => {
        if (viewed !== undefined) setParam('viewPanel', undefined);
        else if (kiosk) setParam('kiosk', undefined);
      },
    },
  ]);
}

/** The panel under the pointer, or the one that holds the focus. */
function usePointedPanel(): { readonly current: HTMLElement | null } {
  const pointed = useRef<HTMLElement>(null);
  useEffect(() => {
    const remember = (event: Event): void => {
      const panel = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-panel-key]') : null;
      pointed.current = panel;
    };
    document.addEventListener('pointerover', remember);
    document.addEventListener('focusin', remember);
    return () => {
      document.removeEventListener('pointerover', remember);
      document.removeEventListener('focusin', remember);
    };
  }, []);
  return pointed;
}
