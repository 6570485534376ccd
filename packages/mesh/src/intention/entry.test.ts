import { type ConfigEntry, decode, type IntentionRequest, intentionRequest, LictorError } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { parseConfigEntry } from '../config-entry/index.ts';
import { encodeIntention } from './encode.ts';
import {
  checkLegacyEditAllowed,
  createIntentionsEntry,
  decodeIntentionsEntry,
  deleteSource,
  deleteSourceById,
  encodeIntentionsEntry,
  intentionsOfEntry,
  updateSourceById,
  upsertSource,
} from './entry.ts';
import { exactSource, legacySource, parseIntentionName } from './request.ts';

const NOW = '2026-11-21T05:49:16.033991153Z';

/** The few lines of a store that the endpoints need: one entry per destination. */
class Store {
  readonly entries = new Map<string, ConfigEntry>();

  editable(destination: string): ReturnType<typeof createIntentionsEntry> {
    const stored = this.entries.get(destination);
    return stored === undefined ? createIntentionsEntry(destination) : decodeIntentionsEntry(stored);
  }

  createLegacy(body: Partial<IntentionRequest>, id: string): void {
    const request = decode(intentionRequest, body);
    const source = legacySource(request, { id, now: NOW });
    const entry = this.editable(request.DestinationName);
    if (this.entries.has(request.DestinationName)) checkLegacyEditAllowed(entry);
    entry.Sources.push(source);
    this.entries.set(entry.Name, encodeIntentionsEntry(entry, 'legacy'));
  }

  upsertExact(source: string, destination: string, body: Readonly<Record<string, unknown>>): void {
    const request = decode(intentionRequest, {
      ...body,
      SourceName: parseIntentionName(source, 'Source'),
      DestinationName: parseIntentionName(destination, 'Destination'),
    });
    const entry = this.editable(request.DestinationName);
    upsertSource(entry, exactSource(request, this.entries.get(request.DestinationName)?.Meta));
    this.entries.set(entry.Name, encodeIntentionsEntry(entry, 'config-entry'));
  }

  list(): Record<string, unknown>[] {
    return [...this.entries.values()].flatMap(intentionsOfEntry).map(encodeIntention);
  }
}

function refusal(action: () => void): string {
  try {
    action();
  } catch (error) {
    return `${LictorError.from(error).httpStatus} ${LictorError.from(error).message}`;
  }
  return 'accepted';
}

describe('id endpoints (observed 1.21, group "intentions")', () => {
  it.each<[Partial<IntentionRequest>, string]>([
    [{ SourceName: 'a', DestinationName: 'c' }, "1 error occurred:\n\t* Action must be set to 'allow' or 'deny'\n\n"],
    [{ DestinationName: 'c', Action: 'allow' }, '1 error occurred:\n\t* SourceName must be set\n\n'],
    [
      { SourceName: 'a*', DestinationName: 'c', Action: 'allow' },
      "1 error occurred:\n\t* SourceName: wildcard character '*' cannot be used with partial values\n\n",
    ],
    [{ SourceName: 'a', DestinationName: 'b', Action: 'deny' }, 'Sources[1] defines "a" more than once'],
    [
      { SourceName: 'a', SourceNS: 'x', DestinationName: 'c', Action: 'deny' },
      'Invalid source namespace "x": Namespaces is a Consul Enterprise feature',
    ],
    [
      { SourceName: 'a', SourcePeer: 'p', DestinationName: 'c', Action: 'deny' },
      'SourcePeer field is not supported on this endpoint. Use config entries instead',
    ],
  ])('POST %j is refused', (body, message) => {
    const store = new Store();
    store.createLegacy({ SourceName: 'a', DestinationName: 'b', Action: 'allow' }, 'id-1');
    expect(refusal(() => store.createLegacy(body, 'id-2'))).toBe(`500 ${message}`);
    expect(store.list()).toHaveLength(1);
  });

  it('shows id, meta and times', () => {
    const store = new Store();
    store.createLegacy(
      { SourceName: 'a', DestinationName: 'b', Action: 'allow', Description: 'd', Meta: { k: 'v' } },
      '30a889e8-f7b0-48ce-ba27-dc46ace41fc8',
    );
    const [shown] = store.list();
    expect(shown).toEqual({
      CreatedAt: NOW,
      UpdatedAt: NOW,
      ID: '30a889e8-f7b0-48ce-ba27-dc46ace41fc8',
      Description: 'd',
      SourceNS: 'default',
      SourceName: 'a',
      DestinationNS: 'default',
      DestinationName: 'b',
      SourceType: 'consul',
      Action: 'allow',
      Meta: { k: 'v' },
      Precedence: 9,
      Hash: shown?.Hash,
      CreateIndex: 0,
      ModifyIndex: 0,
    });
    expect(Buffer.from(String(shown?.Hash), 'base64')).toHaveLength(32);
  });

  it('updates and deletes by id, keeping the creation time', () => {
    const store = new Store();
    store.createLegacy({ SourceName: 'a', DestinationName: 'b', Action: 'allow' }, 'id-1');
    const entry = store.editable('b');
    const changed = legacySource(decode(intentionRequest, { SourceName: 'a', DestinationName: 'b', Action: 'deny' }), {
      id: 'id-1',
      now: '2027-01-01T00:00:00Z',
    });
    expect(updateSourceById(entry, 'id-1', changed)).toBe(true);
    expect(updateSourceById(entry, 'id-2', changed)).toBe(false);
    expect(intentionsOfEntry(encodeIntentionsEntry(entry, 'legacy'))[0]).toMatchObject({
      Action: 'deny',
      CreatedAt: NOW,
      UpdatedAt: '2027-01-01T00:00:00Z',
    });
    expect(deleteSourceById(entry, 'id-2')).toBe(false);
    expect(deleteSourceById(entry, 'id-1')).toBe(true);
    expect(entry.Sources).toEqual([]);
  });

  it('leaves alone what the newer API wrote', () => {
    const entry = decodeIntentionsEntry(
      parseConfigEntry({ Kind: 'service-intentions', Name: 'b', Sources: [{ Name: 'a', Action: 'allow' }] }),
    );
    expect(refusal(() => checkLegacyEditAllowed(entry))).toBe(
      '500 cannot use legacy intention API to edit intentions with a destination of "b" after editing them via a service-intentions config entry',
    );
  });
});

describe('exact endpoints (observed 1.21)', () => {
  it('creates, replaces and shows without id, empty fields left out', () => {
    const store = new Store();
    store.upsertExact('web', 'socat', { Action: 'deny', Description: 'x' });
    store.upsertExact('web', 'default/socat', { Action: 'allow' });
    store.upsertExact('*', 'socat', { Action: 'deny' });
    expect(store.list()).toEqual([
      {
        SourceNS: 'default',
        SourceName: 'web',
        DestinationNS: 'default',
        DestinationName: 'socat',
        SourceType: 'consul',
        Action: 'allow',
        Precedence: 9,
        CreateIndex: 0,
        ModifyIndex: 0,
      },
      {
        SourceNS: 'default',
        SourceName: '*',
        DestinationNS: 'default',
        DestinationName: 'socat',
        SourceType: 'consul',
        Action: 'deny',
        Precedence: 8,
        CreateIndex: 0,
        ModifyIndex: 0,
      },
    ]);
    const entry = store.editable('socat');
    expect(deleteSource(entry, 'web')).toBe(true);
    expect(deleteSource(entry, 'web')).toBe(false);
  });

  it('shows permissions as they were written', () => {
    const store = new Store();
    store.upsertExact('front', 'web', {
      Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/v1', Header: [{ Name: 'a', Present: true }], Methods: ['get'] } }],
    });
    expect(store.list()[0]?.Permissions).toEqual([
      { Action: 'allow', HTTP: { PathPrefix: '/v1', Header: [{ Name: 'a', Present: true }], Methods: ['GET'] } },
    ]);
  });

  it.each<[string, Partial<IntentionRequest>, string]>([
    ['x', { Action: 'nope' }, "Sources[0].Action must be set to 'allow' or 'deny'"],
    ['x', { ID: '1', Action: 'allow' }, 'ID must not be specified'],
    ['x', { Meta: { a: 'b' }, Action: 'allow' }, 'Meta must not be specified'],
    ['peer:p/web', { Action: 'allow' }, 'source "peer:p/web" is invalid: cannot specify a peer here'],
    ['a/b/c/d', { Action: 'allow' }, `source "a/b/c/d" is invalid: input can contain at most two '/'`],
    ['default/default/web', { Action: 'allow', Permissions: [] }, 'accepted'],
    ['a/b/c', { Action: 'allow' }, 'Invalid SourceNS "b": Namespaces is a Consul Enterprise feature'],
  ])('PUT source=%s %j is refused', (source, body, message) => {
    expect(refusal(() => new Store().upsertExact(source, 'd', body))).toBe(message === 'accepted' ? message : `500 ${message}`);
  });

  it('lets clients send an entry meta back unchanged', () => {
    const store = new Store();
    store.entries.set(
      'web',
      parseConfigEntry({ Kind: 'service-intentions', Name: 'web', Meta: { a: 'b' }, Sources: [{ Name: 'x', Action: 'allow' }] }),
    );
    store.upsertExact('x', 'web', { Action: 'deny', Meta: { a: 'b' } });
    expect(store.list()[0]).toMatchObject({ Action: 'deny', Meta: { a: 'b' } });
    expect(refusal(() => store.upsertExact('x', 'web', { Action: 'deny', Meta: { a: 'c' } }))).toContain(
      'should be unchanged during an update',
    );
  });
});
