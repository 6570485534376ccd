import { describe, expect, it } from 'vitest';
import { type ClusterOptions, completeOptions } from './cluster-options.ts';
import { defaultImage } from './image.ts';

describe('the options of a cluster in containers', () => {
  it('have defaults: three servers, no client, TLS', () => {
    expect(completeOptions({})).toEqual({ servers: 3, clients: 0, datacenter: 'dc1', tls: true, config: {} });
  });

  it.each<[ClusterOptions, string]>([
    [{ servers: 0 }, 'servers must be a whole number from 1 to 7, not 0'],
    [{ servers: 2.5 }, 'servers must be a whole number from 1 to 7, not 2.5'],
    [{ servers: 8 }, 'servers must be a whole number from 1 to 7, not 8'],
    [{ clients: -1 }, 'clients must be a whole number from 0 to 100, not -1'],
    [{ clients: Number.NaN }, 'clients must be a whole number from 0 to 100, not NaN'],
  ])('%o is refused', (options, message) => {
    expect(() => completeOptions(options)).toThrow(new RangeError(message));
  });

  it('take the image from the environment, unless it is empty', () => {
    expect([defaultImage({ LICTOR_IMAGE: 'mine:1' }), defaultImage({ LICTOR_IMAGE: '' }), defaultImage({})]).toEqual([
      'mine:1',
      'lictor:dev',
      'lictor:dev',
    ]);
  });
});
