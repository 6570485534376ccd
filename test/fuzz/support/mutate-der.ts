import fc from 'fast-check';

/** A value of DER: its tag byte and what is in it. */
interface Node {
  tag: number;
  content: Buffer | Node[];
}

const CONSTRUCTED = 0x20;
const TAGS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0x82, 0x86, 0x87, 0xa0, 0xa3];
const edit = fc.record({
  kind: fc.constantFrom('remove', 'double', 'swap', 'tag', 'empty', 'byte', 'copy', 'wrap'),
  at: fc.nat(),
  from: fc.nat(),
  value: fc.nat(255),
});
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

/**
 * One of `corpus`, which must be good DER, with values removed, doubled, moved, retagged or changed, and every length around them
 * written anew: what a parser that checks lengths alone would take.
 */
export function mutatedDer(corpus: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.nat(corpus.length - 1), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([chosen, edits]) => {
    const root: Node = { tag: 0x30, content: readAll(Buffer.from(corpus[chosen] ?? [])) };
    for (const change of edits) apply(root, change);
    return Buffer.isBuffer(root.content) ? root.content : Buffer.concat(root.content.map(encode));
  });
}

function readAll(bytes: Buffer): Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    const size = extra === 0 ? first : bytes.readUIntBE(at + 2, extra);
    const content = bytes.subarray(at + 2 + extra, at + 2 + extra + size);
    nodes.push({ tag, content: (tag & CONSTRUCTED) === 0 ? content : readAll(content) });
    at += 2 + extra + size;
  }
  return nodes;
}

function encode({ tag, content }: Node): Buffer {
  const body = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(encode));
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

function apply(root: Node, { kind, at, from, value }: Edit): void {
  const places = placesOf(root);
  const place = places[at % places.length];
  const other = places[from % places.length];
  if (place === undefined || other === undefined) return;
  const [siblings, index] = place;
  const [node, source] = [siblings[index], other[0][other[1]]];
  if (node === undefined || source === undefined) return;
  if (kind === 'remove') siblings.splice(index, 1);
  else if (kind === 'double') siblings.splice(index, 0, copy(node));
  else if (kind === 'swap') siblings.push(...siblings.splice(index, 1));
  else if (kind === 'tag') node.tag = TAGS[value % TAGS.length] ?? 0x05;
  else if (kind === 'empty') node.content = Buffer.alloc(0);
  else if (kind === 'wrap') siblings.splice(index, 1, { tag: (TAGS[value % TAGS.length] ?? 0) | CONSTRUCTED, content: [copy(node)] });
  else if (kind === 'copy') siblings.splice(index, 1, copy(source));
  else if (Buffer.isBuffer(node.content) && node.content.length > 0) {
    const changed = Buffer.from(node.content);
    changed[from % changed.length] = value;
    node.content = changed;
  }
}

/** No value may hold itself, nor be changed in two places by one edit. */
function copy({ tag, content }: Node): Node {
  return { tag, content: Buffer.isBuffer(content) ? content : content.map(copy) };
}

type Place = readonly [siblings: Node[], index: number];

function placesOf({ content }: Node): Place[] {
  if (Buffer.isBuffer(content)) return [];
  return content.flatMap((child, index) => [[content, index] as const, ...placesOf(child)]);
}
