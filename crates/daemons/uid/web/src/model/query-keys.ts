// Keys of the query cache, all in one place, so that what belongs together is dropped together.

export const queryKeys = {
  session: ['session'] as const,
  settings: ['settings'] as const,
  search: (query: string) => ['search', query] as const,
  dashboard: (uid: string) => ['dashboard', uid] as const,
  homeDashboard: ['dashboard', '', 'home'] as const,
  variables: (uid: string, inputs: unknown) => ['variables', uid, inputs] as const,
  panel: (inputs: unknown) => ['panel', inputs] as const,
  labels: (source: string, inputs: unknown) => ['labels', source, inputs] as const,
  rules: (source: string) => ['rules', source] as const,
  targets: (source: string) => ['targets', source] as const,
  health: ['health'] as const,
};
