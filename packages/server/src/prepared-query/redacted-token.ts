/** What stands for a token in the answers to those who may not see it. */
export const REDACTED_TOKEN = '<hidden>';
