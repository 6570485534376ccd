/** Consul has no such limits; these are far above what a query needs, and keep a state that anybody may write from growing without bound. */
export const MAX_QUERIES = 50_000;
/** Also of a name that is asked for. */
export const MAX_NAME_LENGTH = 512;
/** Of every other text, as written and as filled in. */
export const MAX_TEXT_LENGTH = 4096;
/** Of tags, datacenters, targets and check ids. */
export const MAX_LIST_ITEMS = 128;
/** Of all texts of one query together: templates are parsed when they are applied, on every server. */
export const MAX_TOTAL_LENGTH = 65_536;
/** A longer or larger expression takes more than 10 ms to compile, or to match a name. */
export const MAX_REGEXP_LENGTH = 512;
export const MAX_REGEXP_SIZE = 1000;
