/**
 * The one file of forge that is used. Importing the package's root would load its RSA, TLS and random code too (security.md 5.3), and
 * take seven times as long.
 */
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 as Asn1Api } from 'node-forge';

  interface FromDerOptions {
    readonly strict?: boolean;
    readonly parseAllBytes?: boolean;
    readonly decodeBitStrings?: boolean;
    readonly maxDepth?: number;
  }
  const asn1: Omit<typeof Asn1Api, 'fromDer'> & {
    fromDer(bytes: string, options: FromDerOptions): Asn1Api.Asn1;
  };
  export default asn1;
}
