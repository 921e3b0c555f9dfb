// Name and password; then on to where one wanted to go.

import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { ApiError, errorText } from '../../api/http';
import { Icon } from '../../components/Icon';
import { useLogin, useSession } from '../../model/session-client';

/** Only paths of our own: `//host` would lead elsewhere. */
export function safeRedirect(to: string | null): string {
  return to !== null && /^\/(?![/\\])/.test(to) && !to.startsWith('/login') ? to : '/';
}

export function LoginView(): ReactNode {
  const [params] = useSearchParams();
  const session = useSession();
  const login = useLogin();
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [shown, setShown] = useState(false);
  useEffect(() => {
    document.title = 'Log in – Observability';
  }, []);

  if (session.data !== null && session.data !== undefined && !session.data.anonymous) {
    return <Navigate replace to={safeRedirect(params.get('redirectTo'))} />;
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    login.mutate({ user, password });
  };
  return (
    <main className="login">
      <form aria-label="Log in" className="card login-card" onSubmit={submit}>
        <img alt="" height={40} src="./favicon.svg" width={40} />
        <h1>Log in</h1>
        <label className="field">
          <span>E-mail or user name</span>
          <input
            autoCapitalize="off"
            autoComplete="username"
            autoFocus
            className="input"
            name="user"
            onChange={(event) => setUser(event.target.value)}
            required
            value={user}
          />
        </label>
        <label className="field">
          <span>Password</span>
          <span className="login-password">
            <input
              autoComplete="current-password"
              className="input"
              name="password"
              onChange={(event) => setPassword(event.target.value)}
              required
              type={shown ? 'text' : 'password'}
              value={password}
            />
            <button
              aria-label={shown ? 'Hide the password' : 'Show the password'}
              aria-pressed={shown}
              className="button button-quiet button-icon"
              onClick={() => setShown(!shown)}
              type="button"
            >
              <Icon name="eye" />
            </button>
          </span>
        </label>
        {login.error !== null && (
          <p className="hint hint-bad" role="alert">
            {login.error instanceof ApiError && login.error.status === 401
              ? errorText(login.error)
              : `Could not log in: ${errorText(login.error)}`}
          </p>
        )}
        <button className="button button-primary" disabled={login.isPending} type="submit">
          {login.isPending ? 'Logging in …' : 'Log in'}
        </button>
      </form>
    </main>
  );
}
