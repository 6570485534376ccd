/** The level of Consul's HTTP API and command line that Lictor speaks: what `/v1/agent/self` and `version` tell clients. */
export const API_VERSION = '1.21.0';
/** Lictor's own version. */
export const LICTOR_VERSION = '0.1.0';
