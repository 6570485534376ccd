import { silentLogger } from '@lictor/protocol';
import { FakeClock } from '@lictor/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { CoordinateBatch } from '../../leader/coordinate-batch.ts';
import { createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { catalogWrites } from './catalog.ts';
import { coordinateReads, createCoordinateWrites } from './coordinate.ts';

const BATCH_PERIOD_MS = 5000;
const ORIGIN = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };

let server: EndpointHarness;
let clock: FakeClock;
let batch: CoordinateBatch;
let proposals: number;

beforeEach(async () => {
  server = createEndpointHarness();
  clock = new FakeClock();
  proposals = 0;
  batch = new CoordinateBatch({
    clock,
    logger: silentLogger,
    propose: async (type, body) => {
      proposals++;
      server.apply(type, body);
    },
  });
  batch.start();
  await server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration({ Node: 'n1' }));
});

const update = (Node: string, Coord = ORIGIN): Promise<void> =>
  server.call<'Coordinate.Update'>(createCoordinateWrites(batch)['Coordinate.Update'], { Node, Segment: '', Partition: '', Coord });
const nodes = () => server.read<'Coordinate.ListNodes'>(coordinateReads['Coordinate.ListNodes'], {}).value;
const passPeriod = (): Promise<void> => clock.advance(BATCH_PERIOD_MS);

describe('updates (consul-facts H087)', () => {
  it('are written in batches, the newest of each node only', async () => {
    await update('n1', { ...ORIGIN, Height: 1 });
    await update('N1');
    expect(nodes()).toEqual([]);
    await passPeriod();
    expect(proposals).toBe(1);
    expect(nodes()).toMatchObject([{ Node: 'n1', Segment: '', Coord: ORIGIN }]);
    await passPeriod();
    expect(proposals).toBe(1);
  });

  it('are dropped for nodes that do not exist, and leave with their node', async () => {
    await update('n1');
    await update('gone');
    await passPeriod();
    expect(nodes()).toHaveLength(1);
    const Deregister = { Node: 'n1', ServiceID: '', CheckID: '', Datacenter: '', Namespace: '', Partition: '' };
    await server.call<'Catalog.Deregister'>(catalogWrites['Catalog.Deregister'], Deregister);
    expect(nodes()).toEqual([]);
  });

  it('refuses coordinates of another system', async () => {
    await expect(update('n1', { ...ORIGIN, Vec: [0] })).rejects.toThrow('incompatible coordinate');
    await expect(update('n1', { ...ORIGIN, Height: Number.NaN })).rejects.toThrow('invalid coordinate');
  });

  it('holds a bounded number of them', async () => {
    for (let node = 0; node < 5000; node++) batch.add({ Node: `n${node}`, Segment: '', Coord: ORIGIN });
    await passPeriod();
    await passPeriod();
    expect(proposals).toBeLessThanOrEqual(5);
  });

  it('are not written once leadership is lost', async () => {
    await update('n1');
    batch.stop();
    await passPeriod();
    expect(proposals).toBe(0);
  });
});

describe('reads (consul-facts H084-H086)', () => {
  it('is empty for a node without coordinates', () => {
    expect(server.read<'Coordinate.Node'>(coordinateReads['Coordinate.Node'], { node: 'n1' }).value).toEqual([]);
  });
});
