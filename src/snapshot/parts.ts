/** An edition as bytes: its resources in parts, in their order, and the list of their ids. Pure. */
export interface Resource {
  readonly id: string;
  readonly body: Buffer;
}

/** So large that a page rarely needs two, so small that a store takes it without making others wait. */
const mostPerPart = 500;
const mostBytes = 1 << 20;

export interface Part {
  readonly count: number;
  readonly bytes: Buffer;
}

export function* partsOf(resources: Iterable<Resource>): Generator<Part, void> {
  let bodies: Buffer[] = [];
  let bytes = 0;
  for (const { body } of resources) {
    if (bodies.length === mostPerPart || (bodies.length > 0 && bytes + body.length > mostBytes)) {
      yield { count: bodies.length, bytes: pack(bodies) };
      [bodies, bytes] = [[], 0];
    }
    bodies.push(body);
    bytes += body.length;
  }
  if (bodies.length > 0) yield { count: bodies.length, bytes: pack(bodies) };
}

function pack(bodies: readonly Buffer[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      return [length, body];
    }),
  );
}

export function unpack(bytes: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + 4;
    at = start + bytes.readUInt32BE(at);
    bodies.push(bytes.subarray(start, at));
  }
  return bodies;
}
