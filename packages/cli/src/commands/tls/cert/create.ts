import { buildHostCertificate, generatePrivateKey } from '@lictor/pki';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { CommandFailure, defineCommand } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { booleanFlag, integerFlag, listFlag, stringFlag } from '../../../framework/flag-types.ts';
import { type Io, print } from '../../../framework/io.ts';
import { CERTIFICATE_MODE, exists, KEY_MODE, saveNew } from '../files.ts';
import { createSerial, validityOf } from '../validity.ts';
import { checkPermitted, parseSigner, readSignerFiles, reportingPki } from './signer.ts';
import { subjectOf } from './subject.ts';

const YEAR_DAYS = 365;
const DOMAIN = '#DOMAIN#';
const MAX_NUMBER = 10_000;
/** ub-common-name of RFC 5280. */
const MAX_COMMON_NAME = 64;
const SERVER_WARNING = `==> WARNING: Server Certificates grants authority to become a
    server and access all state in the cluster including root keys
    and all ACL tokens. Do not distribute them to production hosts
    that are not server nodes. Store them as securely as CA keys.`;

export const command = defineCommand({
  synopsis: 'Create a new certificate',
  usage: `
Usage: {program} tls cert create [options]

  Makes a key and a certificate, signed by the CA whose files are in the current
  folder or named by -ca and -key, and keeps both there under the next free number.

      $ {program} tls cert create -server -dc dc1
      $ {program} tls cert create -client
`,
  flags: {
    'additional-dnsname': listFlag('A further DNS name, beside localhost. May be given more than once.'),
    'additional-ipaddress': listFlag('A further address, beside 127.0.0.1. May be given more than once.'),
    ca: stringFlag("The CA's certificate.", `${DOMAIN}-agent-ca.pem`),
    cli: booleanFlag('For a command line.'),
    client: booleanFlag('For a client.'),
    days: integerFlag('How long the certificate is valid, days.', YEAR_DAYS),
    dc: stringFlag('The datacenter.', 'dc1'),
    domain: stringFlag("The agents' DNS domain.", 'consul'),
    key: stringFlag("The CA's key.", `${DOMAIN}-agent-ca-key.pem`),
    node: stringFlag('With -server: the certificate also names <node>.server.<dc>.<domain>.'),
    server: booleanFlag('For a server.'),
  },
  run: async ({ flags, io }) => {
    if (flags.ca === '') throw new CommandFailure('Please provide the ca');
    if (flags.key === '') throw new CommandFailure('Please provide the key');
    const subject = subjectOf({ ...flags, dnsNames: flags['additional-dnsname'], ips: flags['additional-ipaddress'] });
    if (subject.commonName.length > MAX_COMMON_NAME) {
      throw new CommandFailure(`${subject.commonName} is over the ${MAX_COMMON_NAME} characters that a certificate's common name may have`);
    }
    const files = freeFiles(io, subject.prefix);
    const [caFile, keyFile] = [flags.ca.replace(DOMAIN, flags.domain), flags.key.replace(DOMAIN, flags.domain)];
    const signerFiles = await readSignerFiles(io, caFile, keyFile);
    if (flags.server) print(io, SERVER_WARNING);
    print(io, `==> Using ${caFile} and ${keyFile}`);
    const nowMs = systemClock.now();
    const validity = validityOf(flags.days, nowMs);
    const signer = reportingPki(() => parseSigner(signerFiles, nowMs));
    checkPermitted(signer, subject.dnsNames);
    const key = await generatePrivateKey();
    const serial = createSerial((length) => systemRandom.bytes(length));
    const certificate = reportingPki(() => buildHostCertificate({ ...subject, ...validity, signer, key, serial }));
    await saveNew(io, files.certificate, certificate, CERTIFICATE_MODE);
    await saveNew(io, files.key, key.pem.reveal(), KEY_MODE);
    return EXIT.ok;
  },
});

/** The first number whose names are both free. */
function freeFiles(io: Io, prefix: string): { readonly certificate: string; readonly key: string } {
  for (let number = 0; number < MAX_NUMBER; number++) {
    const files = { certificate: `${prefix}-${number}.pem`, key: `${prefix}-${number}-key.pem` };
    if (!exists(io, files.certificate) && !exists(io, files.key)) return files;
  }
  throw new CommandFailure("Could not find a filename that doesn't already exist");
}
