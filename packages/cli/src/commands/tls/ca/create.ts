import { buildAgentCa, generatePrivateKey, PkiError } from '@lictor/pki';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { CommandFailure, defineCommand } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { booleanFlag, integerFlag, listFlag, stringFlag } from '../../../framework/flag-types.ts';
import { CERTIFICATE_MODE, exists, KEY_MODE, saveNew } from '../files.ts';
import { createSerial, validityOf } from '../validity.ts';

const FIVE_YEARS_DAYS = 1825;
/** ub-common-name of RFC 5280. */
const MAX_COMMON_NAME = 64;

export const command = defineCommand({
  synopsis: 'Create a new CA',
  usage: `
Usage: {program} tls ca create [options]

  Makes a CA for the certificates of agents, and keeps its certificate and its key
  in the current folder. Files that are there are not overwritten.

      $ {program} tls ca create
      $ {program} tls ca create -name-constraint -domain example.com
`,
  flags: {
    'additional-name-constraint': listFlag(
      'A further domain below which hosts may be named; with -name-constraint. May be given more than once.',
    ),
    'cluster-id': stringFlag('Of the cluster whose mesh this is to be the CA of too: its id is put into the certificate.'),
    'common-name': stringFlag('Name of the CA. Consul Agent CA and its serial number when empty.'),
    days: integerFlag('How long the CA is valid, days.', FIVE_YEARS_DAYS),
    domain: stringFlag("The agents' DNS domain. Names the files.", 'consul'),
    'name-constraint': booleanFlag(
      'Certificates of the CA may only name localhost and hosts below -domain and -additional-name-constraint.',
    ),
  },
  run: async ({ flags, io }) => {
    const { domain } = flags;
    const certificateFile = `${domain}-agent-ca.pem`;
    const keyFile = `${domain}-agent-ca-key.pem`;
    for (const file of [certificateFile, keyFile]) if (exists(io, file)) throw new CommandFailure(`${file} already exists.`);
    const serial = createSerial((length) => systemRandom.bytes(length));
    const commonName = flags['common-name'] || `Consul Agent CA ${serial}`;
    if (commonName.length > MAX_COMMON_NAME) throw new CommandFailure(`-common-name is over ${MAX_COMMON_NAME} characters`);
    const clusterId = flags['cluster-id'];
    const key = await generatePrivateKey();
    const certificate = build({
      key,
      serial,
      commonName,
      ...validityOf(flags.days, systemClock.now()),
      permittedDomains: flags['name-constraint'] ? [...flags['additional-name-constraint'], domain, 'localhost'] : [],
      ...(clusterId !== '' && { trustDomain: `${clusterId}.${domain}`.toLowerCase() }),
    });
    await saveNew(io, certificateFile, certificate, CERTIFICATE_MODE);
    await saveNew(io, keyFile, key.pem.reveal(), KEY_MODE);
    return EXIT.ok;
  },
});

function build(options: Parameters<typeof buildAgentCa>[0]): string {
  try {
    return buildAgentCa(options);
  } catch (error) {
    if (error instanceof PkiError) throw new CommandFailure(error.message, undefined, { cause: error });
    throw error;
  }
}
