import type { HealthCheck, Node } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { toHealthChecks, toNodeService } from '../../rpc/endpoints/shared/register-rows.ts';
import { registration } from '../../testing/endpoints.ts';
import { createTestStore } from '../../testing/store.ts';
import { txnCheck, txnNode, txnService } from '../commands/catalog.ts';

const NODE: Node = {
  ID: '',
  Node: 'tx',
  Address: '9.9.9.9',
  Datacenter: 'dc1',
  TaggedAddresses: null,
  Meta: null,
  CreateIndex: 0,
  ModifyIndex: 0,
};
const { Service, ...registered } = registration({
  Node: 'tx',
  Service: { ID: 's', Service: 's', Port: 1 },
  Check: { CheckID: 'c', Status: 'passing' },
});
const SERVICE = toNodeService(Service ?? raise());
const CHECK: HealthCheck = toHealthChecks(registered)[0] ?? raise();

function raise(): never {
  throw new Error('the registration lost a part');
}

describe('catalog operations of a transaction (consul-facts T rows; texts of Consul)', () => {
  it('set rows and show them as they are then', () => {
    const store = createTestStore();
    expect(store.write((txn) => txnNode(txn, { Verb: 'set', Node: NODE }))).toMatchObject({ Node: { Node: 'tx', CreateIndex: 1 } });
    expect(store.write((txn) => txnService(txn, { Verb: 'set', Node: 'tx', Service: SERVICE }))).toMatchObject({
      Service: { ID: 's', ModifyIndex: 2 },
    });
    expect(store.write((txn) => txnCheck(txn, { Verb: 'set', Check: CHECK }))).toMatchObject({ Check: { CheckID: 'c', ModifyIndex: 3 } });
    expect(store.write((txn) => txnService(txn, { Verb: 'get', Node: 'tx', Service: SERVICE }))).toMatchObject({ Service: { Port: 1 } });
  });

  it('compare and set by ModifyIndex; 0 asks for a new row', () => {
    const store = createTestStore();
    const stale = 'failed to set node "tx", index is stale';
    expect(store.write((txn) => txnNode(txn, { Verb: 'cas', Node: { ...NODE, ModifyIndex: 7 } }))).toBe(stale);
    expect(store.write((txn) => txnNode(txn, { Verb: 'cas', Node: NODE }))).toMatchObject({ Node: { ModifyIndex: 2 } });
    expect(store.write((txn) => txnNode(txn, { Verb: 'cas', Node: NODE }))).toBe(stale);
    const changed = { ...NODE, Address: '8.8.8.8', ModifyIndex: 2 };
    expect(store.write((txn) => txnNode(txn, { Verb: 'cas', Node: changed }))).toMatchObject({ Node: { Address: '8.8.8.8' } });
    expect(store.write((txn) => txnService(txn, { Verb: 'cas', Node: 'tx', Service: { ...SERVICE, ModifyIndex: 9 } }))).toBe(
      'failed to set service "s" on node "tx", index is stale',
    );
    expect(store.write((txn) => txnCheck(txn, { Verb: 'cas', Check: { ...CHECK, ModifyIndex: 9 } }))).toBe(
      'failed to set check "c" on node "tx", index is stale',
    );
  });

  it('say what is not there', () => {
    const store = createTestStore();
    expect(store.write((txn) => txnNode(txn, { Verb: 'get', Node: NODE }))).toBe('node "tx" doesn\'t exist');
    expect(store.write((txn) => txnService(txn, { Verb: 'get', Node: 'tx', Service: SERVICE }))).toBe(
      'service "s" on node "tx" doesn\'t exist',
    );
    expect(store.write((txn) => txnCheck(txn, { Verb: 'get', Check: CHECK }))).toBe('check "c" on node "tx" doesn\'t exist');
    expect(store.write((txn) => txnService(txn, { Verb: 'set', Node: 'tx', Service: SERVICE }))).toBe('Missing node registration');
  });

  it('delete idempotently, or only the version that was asked for', () => {
    const store = createTestStore();
    store.write((txn) => txnNode(txn, { Verb: 'set', Node: NODE }));
    store.write((txn) => txnService(txn, { Verb: 'set', Node: 'tx', Service: SERVICE }));
    store.write((txn) => txnCheck(txn, { Verb: 'set', Check: CHECK }));
    expect(store.write((txn) => txnService(txn, { Verb: 'delete-cas', Node: 'tx', Service: SERVICE }))).toBe(
      'failed to delete service "s" on node "tx", index is stale',
    );
    const current = { ...SERVICE, ModifyIndex: 2 };
    expect(store.write((txn) => txnService(txn, { Verb: 'delete-cas', Node: 'tx', Service: current }))).toBeUndefined();
    expect(store.write((txn) => txnCheck(txn, { Verb: 'delete', Check: CHECK }))).toBeUndefined();
    expect(store.write((txn) => txnNode(txn, { Verb: 'delete', Node: NODE }))).toBeUndefined();
    expect(store.write((txn) => txnNode(txn, { Verb: 'delete', Node: NODE }))).toBeUndefined();
    expect(store.write((txn) => txnNode(txn, { Verb: 'delete-cas', Node: NODE }))).toBe('failed to delete node "tx", index is stale');
  });
});
