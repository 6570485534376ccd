import { Packr } from 'msgpackr/pack';

/** As for log entries (fsm/codec.ts): no extension, no record, and nothing decoded keeps its frame alive. */
const OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  bundleStrings: false,
  copyBuffers: true,
  skipValues: [undefined],
};

export const packr = new Packr(OPTIONS);
/** Decodes bytes as views of what they come from. */
export const viewingPackr = new Packr({ ...OPTIONS, copyBuffers: false });
