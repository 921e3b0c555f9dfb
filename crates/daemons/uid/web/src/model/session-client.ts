// Who is logged in, and what the server has to offer them.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError, request } from '../api/http';
import { parseSettings, type Settings } from '../api/types/settings';
import { parseUser, type User } from '../api/types/user';
import { queryKeys } from './query-keys';

/** `null` when nobody is logged in and nobody may look around. */
async function fetchSession(): Promise<User | null> {
  try {
    return parseUser(await request('api/user'));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    const settings = await fetchSettings().catch(() => undefined);
    return settings?.anonymousEnabled === true
      ? { login: '', name: 'Visitor', email: '', isAdmin: false, anonymous: true }
      : null;
  }
}

async function fetchSettings(): Promise<Settings> {
  return parseSettings(await request('api/frontend/settings'));
}

export function useSession(): ReturnType<typeof useQuery<User | null>> {
  return useQuery({ queryKey: queryKeys.session, queryFn: fetchSession, staleTime: 60_000, retry: false });
}

export function useSettings(): ReturnType<typeof useQuery<Settings>> {
  return useQuery({ queryKey: queryKeys.settings, queryFn: fetchSettings, staleTime: 300_000 });
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export function useLogin(): ReturnType<typeof useMutation<unknown, Error, Credentials>> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (credentials: Credentials) => request('login', { method: 'POST', body: credentials }),
    onSuccess: async () => {
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== queryKeys.session[0] });
      await client.refetchQueries({ queryKey: queryKeys.session });
    },
  });
}

export function useLogout(): ReturnType<typeof useMutation<unknown, Error, void>> {
  const client = useQueryClient();
  return useMutation({
    // The server answers with its login page; only the cookie matters.
    mutationFn: () => request('logout'),
    onSettled: () => {
      client.setQueryData(queryKeys.session, null);
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== queryKeys.session[0] });
    },
  });
}
