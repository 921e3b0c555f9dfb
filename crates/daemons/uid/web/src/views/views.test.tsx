import { QueryClientProvider } from '@tanstack/react-query';
import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { createMemoryRouter, MemoryRouter, RouterProvider } from 'react-router';
import { describe, expect, it, vi } from 'vitest';
import { makeQueryClient, routes } from '../app';
import { TimeControls } from '../components/time/TimeControls';
import { useUrlTime } from '../components/time/use-time';
import { SafeHtml } from '../components/SafeHtml';
import { parseDashboard } from '../dashboard/parse';
import type { VariableState } from '../dashboard/variables/resolve';
import { alertingGroups, countStates } from './alerts/filter';
import { filterHits, groupByFolder, tagCounts } from './dashboards/group';
import { safeHref } from './dashboard/PanelHeader';
import { VariableBar } from './dashboard/VariableBar';
import { safeRedirect } from './login/LoginView';
import { groupTargets } from './status/group';

type Answer = (path: string, init: RequestInit) => readonly [number, unknown];

/** A server that answers by path. */
function serve(answer: Answer): void {
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    const [status, body] = answer(path, init);
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
}

function open(path: string): void {
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
}

/** Logged in after the right password; two dashboards. */
function daemon(): void {
  let loggedIn = false;
  serve((path, init) => {
    if (path === 'login') {
      loggedIn = String(init.body).includes('secret');
      return loggedIn ? [200, { message: 'Logged in' }] : [401, { message: 'Invalid username or password' }];
    }
    if (path === 'logout') {
      loggedIn = false;
      return [200, {}];
    }
    if (!loggedIn) return [401, { message: 'Unauthorized' }];
    if (path === 'api/user') return [200, { login: 'ann', name: 'Ann' }];
    if (path.startsWith('api/search')) {
      return [
        200,
        [
          { uid: 'a', title: 'Alpha', type: 'dash-db', tags: ['x'] },
          { uid: 'b', title: 'Beta', type: 'dash-db', folderTitle: 'Team' },
        ],
      ];
    }
    return [404, { message: 'Not found' }];
  });
}

describe('session', () => {
  it('leads to the login page, tells of a wrong password, and goes on where one wanted to go', async () => {
    const user = userEvent.setup();
    daemon();
    open('/dashboards');
    await user.type(await screen.findByLabelText('E-mail or user name'), 'ann');
    await user.type(screen.getByLabelText('Password'), 'wrong');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('Invalid username or password');
    await user.clear(screen.getByLabelText('Password'));
    await user.type(screen.getByLabelText('Password'), 'secret');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByRole('link', { name: 'Alpha' }, { timeout: 5000 })).toBeVisible();
  });

  it('ends with log out', async () => {
    const user = userEvent.setup();
    daemon();
    open('/login');
    await user.type(await screen.findByLabelText('E-mail or user name'), 'ann');
    await user.type(screen.getByLabelText('Password'), 'secret{Enter}');
    await user.click(await screen.findByRole('button', { name: 'Ann: theme and log out' }));
    await user.click(screen.getByRole('button', { name: 'Log out' }));
    expect(await screen.findByRole('form', { name: 'Log in' })).toBeVisible();
  });

  it.each([
    ['/d/x?from=now', '/d/x?from=now'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['/login', '/'],
    [null, '/'],
  ])('returns from %s to %s', (to, expected) => {
    expect(safeRedirect(to)).toBe(expected);
  });
});

describe('dashboards', () => {
  it('are searched with Ctrl-K', async () => {
    const user = userEvent.setup();
    daemon();
    await fetch('login', { body: 'secret' });
    open('/dashboards');
    await screen.findByRole('link', { name: 'Beta' }, { timeout: 5000 });
    await user.keyboard('{Control>}k{/Control}');
    await user.type(screen.getByRole('combobox', { name: 'Search dashboards and pages' }), 'alp');
    await waitFor(() => expect(screen.getAllByRole('option')).toHaveLength(1));
    expect(screen.getByRole('option')).toHaveTextContent('Alpha');
  });

  const hits = [
    { uid: '1', title: 'Node overview', url: '', tags: ['node', 'infra'], folderUid: '', folderTitle: '' },
    { uid: '2', title: 'API', url: '', tags: ['infra'], folderUid: 't', folderTitle: 'Team' },
  ];
  it('are narrowed by words and tags', () => {
    expect(filterHits(hits, 'over NODE', []).map((hit) => hit.uid)).toEqual(['1']);
    expect(filterHits(hits, '', ['infra', 'node']).map((hit) => hit.uid)).toEqual(['1']);
    expect(groupByFolder([...hits].reverse()).map((folder) => folder.title)).toEqual(['General', 'Team']);
    expect(tagCounts(hits)).toEqual([
      ['infra', 2],
      ['node', 1],
    ]);
  });
});

describe('time controls', () => {
  function Page(): ReactNode {
    const time = useUrlTime({ time: { from: 'now-6h', to: 'now' }, refresh: '', zone: 'utc' });
    return (
      <>
        <TimeControls time={time} />
        <output>{`${time.raw.from} ${time.raw.to} ${time.refresh}`}</output>
      </>
    );
  }
  const page = (entry: string): void => void render(<MemoryRouter initialEntries={[entry]}>{<Page />}</MemoryRouter>);

  it('take a quick range', async () => {
    const user = userEvent.setup();
    page('/');
    await user.click(screen.getByRole('button', { name: /^Time range: Last 6 hours/ }));
    await user.click(screen.getByRole('button', { name: 'Last 15 minutes' }));
    expect(screen.getByRole('status')).toHaveTextContent('now-15m now');
  });

  it('take exact ends and refuse nonsense', async () => {
    const user = userEvent.setup();
    page('/?from=0&to=60000');
    await user.click(screen.getByRole('button', { name: /^Time range/ }));
    const from = screen.getByLabelText('From');
    expect(from).toHaveValue('1970-01-01 00:00:00');
    await user.clear(from);
    await user.type(from, 'whenever');
    await user.click(screen.getByRole('button', { name: 'Apply time range' }));
    expect(screen.getByRole('alert')).toHaveTextContent('“From” is neither');
    await user.clear(from);
    await user.type(from, '1970-01-01 00:00:30');
    await user.click(screen.getByRole('button', { name: 'Apply time range' }));
    expect(screen.getByRole('status')).toHaveTextContent('30000 60000');
  });

  it('set how often to refresh', async () => {
    const user = userEvent.setup();
    page('/?refresh=1m');
    await user.click(screen.getByRole('button', { name: 'Auto refresh: every 1m' }));
    await user.click(screen.getByRole('button', { name: '30s' }));
    expect(screen.getByRole('status')).toHaveTextContent('30s');
  });
});

describe('variables', () => {
  const stateOf = (json: object, selected: readonly string[]): VariableState => {
    const [variable] = parseDashboard({ templating: { list: [json] } }).variables;
    if (variable === undefined) throw new Error('no variable');
    return { variable, options: ['a', 'b'].map((value) => ({ text: value, value })), selected };
  };

  it('choose one or several', async () => {
    const user = userEvent.setup();
    const onChoose = vi.fn();
    render(
      <VariableBar
        onChoose={onChoose}
        states={[
          stateOf({ name: 'one', type: 'custom' }, ['a']),
          stateOf({ name: 'many', label: 'Many', type: 'custom', multi: true, includeAll: true }, ['$__all']),
        ]}
      />,
    );
    await user.click(screen.getByRole('button', { name: 'one: a' }));
    await user.click(screen.getByRole('button', { name: 'b' }));
    expect(onChoose).toHaveBeenLastCalledWith('one', ['b']);
    await user.click(screen.getByRole('button', { name: 'Many: All' }));
    await user.click(within(screen.getByRole('group', { name: 'Variables' })).getByRole('button', { name: 'b' }));
    expect(onChoose).toHaveBeenLastCalledWith('many', ['b']);
  });

  it('say which kinds are not there yet', () => {
    render(<VariableBar onChoose={() => undefined} states={[stateOf({ name: 'f', type: 'adhoc' }, [])]} />);
    expect(screen.getByText('adhoc variables are not supported yet')).toBeVisible();
  });
});

describe('what comes from outside', () => {
  it('loses its scripts', () => {
    const html =
      '<b>bold</b><script>alert(1)</script><img src=x onerror="alert(1)"><a href="javascript:alert(1)">x</a><form></form>';
    const { container } = render(<SafeHtml html={html} />);
    expect(container.querySelector('b')).toHaveTextContent('bold');
    expect(container.innerHTML).not.toMatch(/script|onerror|form/);
  });

  it.each([
    ['https://example.org', true],
    ['/d/abc', true],
    ['d/abc', true],
    ['?var-x=1', true],
    ['javascript:alert(1)', false],
    ['//evil.example', false],
    ['data:text/html,x', false],
    [' JaVaScRiPt:alert(1)', false],
  ])('links to %s: %s', (url, allowed) => {
    expect(safeHref(url) !== undefined).toBe(allowed);
  });
});

describe('rules and targets', () => {
  const rule = (
    name: string,
    state: string,
    type: 'alerting' | 'recording' = 'alerting',
  ): Parameters<typeof countStates>[0][number]['rules'][number] => ({
    name,
    type,
    state,
    query: 'up',
    duration: 0,
    labels: { team: 'core' },
    annotations: {},
    health: 'ok',
    lastError: '',
    lastEvaluation: '',
    alerts: [],
  });
  const groups = [
    { name: 'quiet', file: '', interval: 1, rules: [rule('a', 'inactive'), rule('r', '', 'recording')] },
    { name: 'loud', file: '', interval: 1, rules: [rule('b', 'inactive'), rule('c', 'firing')] },
  ];
  it('puts the loudest first and counts', () => {
    expect(
      alertingGroups(groups, undefined, '').map((group) => [group.name, group.rules.map((item) => item.name)]),
    ).toEqual([
      ['loud', ['c', 'b']],
      ['quiet', ['a']],
    ]);
    expect(countStates(groups)).toEqual({ firing: 1, pending: 0, inactive: 2 });
    expect(alertingGroups(groups, 'firing', 'core')).toHaveLength(1);
    expect(alertingGroups(groups, 'firing', 'nobody')).toHaveLength(0);
  });

  it('puts pools with trouble first', () => {
    const target = (pool: string, url: string, health: string): Parameters<typeof groupTargets>[0][number] => ({
      pool,
      url,
      health,
      lastError: '',
      lastScrape: '',
      lastScrapeDuration: 0,
      labels: {},
    });
    const pools = groupTargets([target('a', '1', 'up'), target('b', '2', 'up'), target('b', '1', 'down')]);
    expect(pools.map((pool) => [pool.name, pool.up, pool.targets.map((item) => item.health)])).toEqual([
      ['b', 1, ['down', 'up']],
      ['a', 1, ['up']],
    ]);
  });
});
