import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AclRule } from './routing/route.ts';
import { allRoutes } from './routes.ts';

const REFERENCE = new URL('../../../../docs/reference/http.md', import.meta.url);
const ROW = /^\| (GET|PUT|POST|DELETE) \| `([^`]+)` \| ([a-z:]+) \| /gm;

/** `/v1/kv/:key` in the reference is the prefix `/v1/kv/` in the route table. */
function documented(): string[] {
  const text = readFileSync(REFERENCE, 'utf8');
  return [...text.matchAll(ROW)].map(([, method, path = '', rule]) => `${method} ${path.replace(/:\w+$/, '')} ${rule}`);
}

function ruleText(rule: AclRule): string {
  return rule.by === 'none' ? 'none' : `${rule.resource}:${rule.access}`;
}

describe('docs/reference/http.md', () => {
  it('lists every route with its rule, and no other', () => {
    const routes = allRoutes.map(({ method, path, acl }) => `${method} ${path} ${ruleText(acl)}`);
    expect(documented().toSorted()).toEqual(routes.toSorted());
  });
});
