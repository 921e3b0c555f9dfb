// Providers and routes. Paths are Grafana's, so that bookmarks and links in alerts keep working.

import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, type ReactNode } from 'react';
import { createBrowserRouter, Navigate, Outlet, RouterProvider, useLocation } from 'react-router';
import { ApiError, errorText } from './api/http';
import { Frame } from './components/frame/Frame';
import { ErrorNotice } from './components/Notice';
import { ThemeProvider } from './context/theme';
import { queryKeys } from './model/query-keys';
import { useSession } from './model/session-client';
import { HomeView } from './views/HomeView';
import { LoginView } from './views/login/LoginView';
import { RouteError } from './views/RouteError';

const DashboardsView = lazy(async () => ({
  default: (await import('./views/dashboards/DashboardsView')).DashboardsView,
}));
const DashboardView = lazy(async () => ({ default: (await import('./views/dashboard/DashboardView')).DashboardView }));
const ExploreView = lazy(async () => ({ default: (await import('./views/explore/ExploreView')).ExploreView }));
const AlertsView = lazy(async () => ({ default: (await import('./views/alerts/AlertsView')).AlertsView }));
const StatusView = lazy(async () => ({ default: (await import('./views/status/StatusView')).StatusView }));
const AdminView = lazy(async () => ({ default: (await import('./views/admin/AdminView')).AdminView }));

/** A session that ends on the way leads back to the login page. */
export function makeQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (error instanceof ApiError && error.status === 401 && query.queryKey[0] !== queryKeys.session[0]) {
          void client.invalidateQueries({ queryKey: queryKeys.session });
        }
      },
    }),
    defaultOptions: {
      queries: {
        refetchOnWindowFocus: false,
        retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      },
    },
  });
  return client;
}

function RequireSession(): ReactNode {
  const session = useSession();
  const location = useLocation();
  if (session.isPending) return null;
  if (session.isError && session.data === undefined) {
    return (
      <div className="page">
        <ErrorNotice
          message={errorText(session.error)}
          onRetry={() => void session.refetch()}
          title="The server does not answer"
        />
      </div>
    );
  }
  if (session.data === null) {
    const here = location.pathname + location.search;
    const query = here === '/' ? '' : `?redirectTo=${encodeURIComponent(here)}`;
    return <Navigate replace to={`/login${query}`} />;
  }
  return <Outlet />;
}

export const routes = [
  { path: '/login', element: <LoginView />, errorElement: <RouteError /> },
  {
    element: <RequireSession />,
    errorElement: <RouteError />,
    children: [
      {
        element: <Frame />,
        children: [
          {
            errorElement: <RouteError />,
            children: [
              { path: '/', element: <HomeView /> },
              { path: '/dashboards', element: <DashboardsView /> },
              { path: '/d/:uid', element: <DashboardView /> },
              { path: '/d/:uid/:slug', element: <DashboardView /> },
              { path: '/explore', element: <ExploreView /> },
              { path: '/alerting', element: <Navigate replace to="/alerting/list" /> },
              { path: '/alerting/list', element: <AlertsView /> },
              { path: '/status', element: <StatusView /> },
              { path: '/admin', element: <AdminView /> },
              { path: '*', element: <RouteError notFound /> },
            ],
          },
        ],
      },
    ],
  },
];

export function App(): ReactNode {
  return (
    <ThemeProvider>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ThemeProvider>
  );
}

const queryClient = makeQueryClient();
const basename = new URL(document.baseURI).pathname.replace(/\/$/, '');
const router = createBrowserRouter(routes, { basename: basename === '' ? '/' : basename });
