import type { ReactNode } from 'react';
import { Navigate } from 'react-router';
import { useHomeRedirect } from '../model/dashboard-client';

/** `/`: the home dashboard of the server, else the list of dashboards. */
export function HomeView(): ReactNode {
  const home = useHomeRedirect();
  if (home.isPending) return null;
  const to = home.data ?? '';
  return <Navigate replace to={/^\/(?![/\\])/.test(to) && to !== '/' ? to : '/dashboards'} />;
}
