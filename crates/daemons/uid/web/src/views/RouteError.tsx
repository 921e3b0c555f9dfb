import type { ReactNode } from 'react';
import { Link, useRouteError } from 'react-router';
import { errorText } from '../api/http';
import { EmptyState, ErrorNotice } from '../components/Notice';
import { TopBar } from '../components/TopBar';

export interface RouteErrorProps {
  readonly notFound?: boolean;
}

/** A page that is not there, or one that broke while it was drawn. */
export function RouteError({ notFound = false }: RouteErrorProps): ReactNode {
  const error = useRouteError();
  if (notFound) {
    return (
      <>
        <TopBar title="Not found" />
        <EmptyState title="There is no such page">
          <Link className="button" to="/dashboards">
            Go to dashboards
          </Link>
        </EmptyState>
      </>
    );
  }
  return (
    <div className="page">
      <ErrorNotice
        message={errorText(error)}
        onRetry={() => window.location.reload()}
        title="This page could not be drawn"
      />
    </div>
  );
}
