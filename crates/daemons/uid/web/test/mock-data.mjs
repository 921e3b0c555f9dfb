// Made-up series and log lines for `mock-server.mjs`.

const hash = (text) => [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7);
const wave = (seed, t) => Math.sin(t / 9 + seed) + 0.5 * Math.sin(t / 2.3 + seed * 2) + 0.25 * Math.sin(t * 1.7 + seed);

const VALUES = {
  le: ['0.1'],
  service: ['api.plugged.in', 'plugged.in', 'registry'],
  status_code: ['200', '404', '500'],
  status: ['200', '500'],
  operation: ['tools', 'resources', 'prompts'],
  transport: ['stdio', 'streamable_http', 'sse'],
  model: ['gpt-4o', 'gpt-4o-mini'],
  job: ['pluggedin-app', 'registry-proxy', 'mcp-proxy'],
  endpoint: ['/v0/servers', '/v0/enhanced/servers', '/health'],
};

/** Labels to make series of: those of a `by` clause, else those the legend asks for. */
function labelSets({ expr, legendFormat }) {
  const by =
    /\bby\s*\(([^)]*)\)/.exec(expr)?.[1]?.split(',') ??
    [...(legendFormat ?? '').matchAll(/{{\s*(\w+)\s*}}/g)].map((m) => m[1]);
  const names = by
    .map((name) => name.trim())
    .filter((name) => name && name !== 'le')
    .slice(0, 2);
  if (names.length === 0) return [{}];
  const [first, second] = names;
  const firsts = VALUES[first] ?? [`${first}-a`, `${first}-b`, `${first}-c`];
  const seconds = second ? (VALUES[second] ?? [`${second}-x`, `${second}-y`]).slice(0, 2) : [undefined];
  return firsts.flatMap((a) => seconds.map((b) => ({ [first]: a, ...(b ? { [second]: b } : {}) })));
}

function scaleOf(expr) {
  if (/^\s*(count\()?\(?up\b|pg_up/.test(expr)) return () => 1;
  if (/bytes/.test(expr)) return (w) => 3e8 + 8e7 * w;
  if (/histogram_quantile|duration|latency|lag/.test(expr)) return (w) => Math.max(0.35 + 0.2 * w, 0.01);
  if (/\/ sum|ratio/.test(expr)) return (w) => Math.max(0.04 + 0.03 * w, 0);
  return (w) => Math.max(14 + 8 * w, 0);
}

const legend = (format, labels) => {
  if (format && format !== '__auto') return format.replace(/{{\s*(\w+)\s*}}/g, (_, name) => labels[name] ?? '');
  return `{${Object.entries(labels)
    .map(([k, v]) => `${k}="${v}"`)
    .join(', ')}}`;
};

function metricFrames(query, from, to) {
  const step = Math.max(query.intervalMs ?? 15000, 1000);
  const scale = scaleOf(query.expr);
  const sets = labelSets(query);
  if (query.instant && query.format === 'table') {
    const names = Object.keys(sets[0]);
    const fields = [
      { name: 'Time', type: 'time' },
      ...names.map((name) => ({ name, type: 'string' })),
      { name: 'Value', type: 'number' },
    ];
    const values = [
      sets.map(() => to),
      ...names.map((name) => sets.map((labels) => labels[name])),
      sets.map((_, i) => scale(wave(i, 3))),
    ];
    return [{ schema: { refId: query.refId, fields }, data: { values } }];
  }
  return sets.map((labels, index) => {
    const seed = (hash(query.expr + query.refId) % 100) + index * 1.7;
    const times = [];
    const values = [];
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      const at = (t - from) / (to - from);
      if (index === 0 && at > 0.55 && at < 0.62 && !/\bup\b/.test(query.expr)) continue;
      times.push(t);
      values.push(scale(wave(seed, at * 60)));
    }
    const config = { displayNameFromDS: legend(query.legendFormat, labels) };
    const fields = [
      { name: 'Time', type: 'time', config: { interval: step } },
      { name: 'Value', type: 'number', labels, config },
    ];
    return { schema: { refId: query.refId, fields }, data: { values: [times, values] } };
  });
}

const LEVELS = ['info', 'info', 'info', 'warn', 'error', 'debug'];
const MESSAGES = [
  'request completed path=/v0/servers status=200 duration=12ms',
  'cache miss key=servers:page:2',
  'slow query took 1532 ms',
  'Failed to query enhanced servers: connection reset by peer',
  'session created transport=streamable_http',
  'GET /health 200',
];

function logFrame(query, from, to) {
  const wanted = /level="(\w+)"/.exec(query.expr)?.[1];
  const count = Math.min(query.maxLines ?? 1000, 600);
  const rows = Array.from({ length: count }, (_, i) => {
    const level = wanted ?? LEVELS[(i * 7) % LEVELS.length];
    const time = Math.round(to - ((to - from) * i * i) / (count * count));
    const message = MESSAGES[(i * 5) % MESSAGES.length];
    const line =
      i % 9 === 0 ? JSON.stringify({ level, msg: message, attempt: i }) : `level=${level} msg="${message}" id=${i}`;
    return { time, line, labels: { service: 'registry-proxy', level, endpoint: VALUES.endpoint[i % 3] } };
  });
  const fields = [
    { name: 'labels', type: 'other' },
    { name: 'Time', type: 'time' },
    { name: 'Line', type: 'string' },
    { name: 'tsNs', type: 'string' },
    { name: 'id', type: 'string' },
  ];
  const values = [
    rows.map((r) => r.labels),
    rows.map((r) => r.time),
    rows.map((r) => r.line),
    rows.map((r) => `${r.time}000000`),
    rows.map((r, i) => `${r.time}_${i}`),
  ];
  return { schema: { refId: query.refId, meta: { preferredVisualisationType: 'logs' }, fields }, data: { values } };
}

export function answerQuery({ from, to, queries }) {
  const [start, end] = [Number(from), Number(to)];
  const results = {};
  for (const query of queries) {
    if (query.expr.includes('broken')) {
      results[query.refId] = { status: 400, error: "parse error: unexpected character: '@' at position 7", frames: [] };
    } else if (query.expr.includes('nothing')) {
      results[query.refId] = { status: 200, frames: [] };
    } else {
      const isLogs = query.datasource.type === 'loki' && query.expr.trimStart().startsWith('{');
      results[query.refId] = {
        status: 200,
        frames: isLogs ? [logFrame(query, start, end)] : metricFrames(query, start, end),
      };
    }
  }
  return { results };
}
