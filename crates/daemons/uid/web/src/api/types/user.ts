// GET /api/user

import { asBoolean, asObject, asString } from '../../lib/json';

export interface User {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly isAdmin: boolean;
  /** nobody has logged in; the server lets people look around */
  readonly anonymous: boolean;
}

export function parseUser(raw: unknown): User {
  const json = asObject(raw);
  const login = asString(json['login']);
  return {
    login,
    name: asString(json['name']) || login,
    email: asString(json['email']),
    isAdmin: asBoolean(json['isGrafanaAdmin']),
    anonymous: false,
  };
}
