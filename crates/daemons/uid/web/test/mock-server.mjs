// A stand-in for the daemon while working on pages: serves `dist` and plausible answers.
//   node test/mock-server.mjs [--port 3999] [--dashboards DIR]
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answerQuery } from './mock-data.mjs';

const { values: flags } = parseArgs({ options: { port: { type: 'string' }, dashboards: { type: 'string' } } });
const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, '../dist');
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html' };
const SOURCES = {
  Prometheus: {
    uid: 'prom',
    name: 'Prometheus',
    type: 'prometheus',
    isDefault: true,
    jsonData: { timeInterval: '15s' },
  },
  Loki: { uid: 'loki', name: 'Loki', type: 'loki', isDefault: false, jsonData: {} },
};

function dashboards() {
  const folders = [join(here, 'dashboards'), ...(flags.dashboards ? [flags.dashboards] : [])];
  return folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => {
        const json = JSON.parse(readFileSync(join(folder, name), 'utf8'));
        return json.dashboard ?? json;
      }),
  );
}

const now = () => new Date().toISOString();
const RULES = {
  groups: [
    {
      name: 'services',
      file: '/etc/rules/services.yml',
      interval: 30,
      rules: [
        {
          type: 'alerting',
          name: 'HighErrorRate',
          state: 'firing',
          query: 'sum(rate(http_errors_total[5m])) > 1',
          duration: 300,
          health: 'ok',
          labels: { severity: 'critical' },
          annotations: { summary: 'The error rate is above one a second' },
          alerts: [
            {
              labels: { alertname: 'HighErrorRate', job: 'app' },
              annotations: {},
              state: 'firing',
              activeAt: '2026-01-01T00:00:00Z',
              value: '3.2e+00',
            },
          ],
        },
        {
          type: 'alerting',
          name: 'SlowRequests',
          state: 'pending',
          query: 'histogram_quantile(0.95, rate(d_bucket[5m])) > 2',
          duration: 600,
          health: 'ok',
          labels: { severity: 'warning' },
          annotations: { summary: 'Requests take longer than two seconds' },
          alerts: [],
        },
        {
          type: 'alerting',
          name: 'InstanceDown',
          state: 'inactive',
          query: 'up == 0',
          duration: 60,
          health: 'ok',
          labels: { severity: 'critical' },
          annotations: {},
          alerts: [],
        },
        { type: 'recording', name: 'job:rate5m', query: 'sum by (job) (rate(x[5m]))', health: 'ok', labels: {} },
      ],
    },
  ],
};
const target = (job, instance, health, lastError = '') => ({
  scrapePool: job,
  scrapeUrl: `http://${instance}/metrics`,
  health,
  lastError,
  lastScrape: now(),
  lastScrapeDuration: 0.0123,
  labels: { job, instance },
});

const LABELS = {
  job: ['app', 'proxy', 'node'],
  instance: ['a:9090', 'b:9090'],
  level: ['info', 'warn', 'error'],
  service: ['api', 'web'],
};
const METRICS = [
  'up',
  'http_requests_total',
  'http_request_duration_seconds_bucket',
  'process_resident_memory_bytes',
  'node_cpu_seconds_total',
];

function proxied(path) {
  if (path.endsWith('/rules')) return { status: 'success', data: RULES };
  if (path.endsWith('/targets')) {
    const down = target('node', 'db:9100', 'down', 'Get "http://db:9100/metrics": dial tcp: connection refused');
    return {
      status: 'success',
      data: {
        activeTargets: [target('app', 'app:8080', 'up'), target('node', 'web:9100', 'up'), down],
        droppedTargets: [],
      },
    };
  }
  const label = /label\/([^/]+)\/values/.exec(path)?.[1];
  if (label === '__name__') return { status: 'success', data: METRICS };
  if (label) return { status: 'success', data: LABELS[label] ?? ['one', 'two'] };
  return { status: 'success', data: Object.keys(LABELS) };
}

function answer(method, path, query, body, loggedIn) {
  if (path === '/login' && method === 'POST') {
    const { user, password } = JSON.parse(body);
    return user === 'admin' && password === 'admin'
      ? [200, { message: 'Logged in', redirectUrl: '/' }, { 'Set-Cookie': 'grafana_session=mock; Path=/; HttpOnly' }]
      : [401, { message: 'Invalid username or password' }];
  }
  if (path === '/logout') return [200, {}, { 'Set-Cookie': 'grafana_session=; Path=/; Max-Age=0' }];
  if (path === '/api/health') return [200, { database: 'ok', version: 'mock' }];
  if (!loggedIn) return [401, { message: 'Unauthorized' }];
  if (path === '/api/user')
    return [200, { login: 'admin', name: 'Admin', email: 'admin@localhost', isGrafanaAdmin: true }];
  if (path === '/api/frontend/settings')
    return [
      200,
      { appSubUrl: '', buildInfo: { version: 'mock' }, defaultDatasource: 'Prometheus', datasources: SOURCES },
    ];
  if (path === '/api/dashboards/home') return [200, { dashboard: {}, meta: {} }];
  if (path === '/api/search') {
    return [
      200,
      dashboards().map((json) => ({
        uid: json.uid,
        title: json.title,
        type: 'dash-db',
        tags: json.tags ?? [],
        url: `/d/${json.uid}`,
        folderTitle: json.tags?.includes('rag') ? 'RAG' : '',
      })),
    ];
  }
  const uid = /^\/api\/dashboards\/uid\/(.+)$/.exec(path)?.[1];
  if (uid) {
    const found = dashboards().find((json) => json.uid === decodeURIComponent(uid));
    return found ? [200, { dashboard: found, meta: { folderTitle: '' } }] : [404, { message: 'Dashboard not found' }];
  }
  if (path === '/api/ds/query') return [200, answerQuery(JSON.parse(body))];
  if (path.startsWith('/api/datasources/proxy/')) return [200, proxied(path)];
  return [404, { message: 'Not found' }];
}

function serveFile(path, response) {
  const file = join(dist, normalize(path));
  const known = path !== '/' && file.startsWith(dist) && existsSync(file) && extname(file) !== '';
  const chosen = known ? file : join(dist, 'index.html');
  response.writeHead(200, { 'Content-Type': TYPES[extname(chosen)] ?? 'application/octet-stream' });
  createReadStream(chosen).pipe(response);
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const isApi =
    url.pathname.startsWith('/api/') ||
    url.pathname === '/logout' ||
    (url.pathname === '/login' && request.method === 'POST');
  if (!isApi) return serveFile(url.pathname, response);
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const loggedIn = (request.headers.cookie ?? '').includes('grafana_session=mock');
    const [status, json, headers = {}] = answer(request.method, url.pathname, url.searchParams, body, loggedIn);
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(json));
  });
});
server.listen(Number(flags.port ?? 3999), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
