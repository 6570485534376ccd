/** Consul has no such limits; these are far above what a query needs, and keep a state that anybody may write from growing without bound. */
export const MAX_QUERIES = 50_000;
export const MAX_NAME_LENGTH = 512;
/** Of every other text, as written and as filled in. */
export const MAX_TEXT_LENGTH = 4096;
/** Of tags, datacenters, targets and check ids. */
export const MAX_LIST_ITEMS = 128;
