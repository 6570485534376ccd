import type { schema } from '@lictor/protocol';
import { rejected } from '../../problems.ts';
import { commonFields, kept, listOf, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { validateMeta } from './meta.ts';

const shape = struct({
  ...commonFields,
  Services: listOf(
    struct({
      Name: kept(text()),
      Namespace: text(),
      Consumers: listOf(struct({ Partition: text(), Peer: text(), SamenessGroup: text() })),
    }),
  ),
});
export type ExportedServices = schema.Infer<typeof shape>;
type Consumer = ExportedServices['Services'][number]['Consumers'][number];

export const exportedServices = defineKind<ExportedServices>({
  kind: 'exported-services',
  shape,
  validate: (entry) => {
    if (entry.Name !== 'default') throw rejected('exported-services Name must be "default"');
    validateMeta(entry.Meta);
    forEachConsumer(entry, (consumer, where) => {
      if (consumer.Partition !== '' && consumer.Partition !== 'default')
        throw rejected(`${where}: partitions are an enterprise-only feature`);
      if (consumer.SamenessGroup !== '') throw rejected(`${where}: sameness-groups are an enterprise-only feature`);
    });
    entry.Services.forEach((service, index) => {
      if (service.Name === '') throw rejected(`Services[${index}]: service name cannot be empty`);
      if (service.Consumers.length === 0) throw rejected(`Services[${index}]: must have at least one consumer`);
    });
    forEachConsumer(entry, (consumer, where) => {
      if (consumer.Peer !== '' && consumer.Partition !== '')
        throw rejected(`${where}: must define at most one of Peer, Partition, or SamenessGroup`);
      if (consumer.Peer === '*') throw rejected(`${where}: exporting to all peers (wildcard) is not supported`);
    });
  },
});

function forEachConsumer(entry: ExportedServices, check: (consumer: Consumer, where: string) => void): void {
  entry.Services.forEach((service, index) => {
    service.Consumers.forEach((consumer, position) => check(consumer, `Services[${index}].Consumers[${position}]`));
  });
}
