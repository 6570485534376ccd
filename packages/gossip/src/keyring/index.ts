export { Envelope, type EnvelopeOptions, type Opened } from './envelope.ts';
export { decodeKey, Keyring, MAX_KEYS } from './keyring.ts';
