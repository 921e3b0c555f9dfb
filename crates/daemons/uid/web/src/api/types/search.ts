// GET /api/search

import { asArray, asObject, asString, asStrings } from '../../lib/json';

export interface SearchHit {
  readonly uid: string;
  readonly title: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly folderUid: string;
  readonly folderTitle: string;
}

export function parseSearch(raw: unknown): SearchHit[] {
  return asArray(raw)
    .map(asObject)
    .filter((json) => asString(json['type'], 'dash-db') === 'dash-db')
    .map((json) => ({
      uid: asString(json['uid']),
      title: asString(json['title'], 'Untitled'),
      url: asString(json['url']),
      tags: asStrings(json['tags']),
      folderUid: asString(json['folderUid']),
      folderTitle: asString(json['folderTitle']),
    }));
}
