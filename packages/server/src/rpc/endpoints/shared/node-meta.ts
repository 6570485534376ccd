import type { Node } from '@lictor/protocol';

/** Whether the node has every pair asked for (`?node-meta=key:value`, repeated). */
export function hasNodeMeta(node: Node | undefined, wanted: Readonly<Record<string, string>> | undefined): boolean {
  if (wanted === undefined) return true;
  for (const [key, value] of Object.entries(wanted)) {
    if (node?.Meta === null || node === undefined || !Object.hasOwn(node.Meta, key) || node.Meta[key] !== value) return false;
  }
  return true;
}

export function wantsNodeMeta(wanted: Readonly<Record<string, string>> | undefined): wanted is Readonly<Record<string, string>> {
  return wanted !== undefined && Object.keys(wanted).length > 0;
}
