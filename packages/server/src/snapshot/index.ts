export { createMeta, readArchive, type SnapshotContent, type SnapshotMeta, writeArchive } from './archive.ts';
