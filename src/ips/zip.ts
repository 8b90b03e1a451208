/** A zip archive of text files, for the logs that a tenant exports (PKWARE APPNOTE 6.3: 4.3.7, 4.3.12, 4.3.16). */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile {
  readonly name: string;
  readonly text: string;
}

const utf8Names = 0x0800;
const deflated = 8;

export function zip(files: readonly ZipFile[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, text } of files) {
    const content = Buffer.from(text);
    const packed = deflateRawSync(content);
    const nameBytes = Buffer.from(name);
    const shared = sharedFields(crc32(content), packed.length, content.length, nameBytes.length);
    const local = Buffer.concat([signature('PK\x03\x04'), shared, nameBytes, packed]);
    const entry = Buffer.concat([signature('PK\x01\x02'), short(20), shared, entryFields(offset), nameBytes]);
    bodies.push(local);
    directory.push(entry);
    offset += local.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const count = short(files.length);
  const end = [signature('PK\x05\x06'), short(0), short(0), count, count, long(size), long(offset), short(0)];
  return Buffer.concat([...bodies, ...directory, ...end]);
}

/** The fields that a local header and a directory entry have in common, in both at the same place. */
function sharedFields(crc: number, packed: number, size: number, nameLength: number): Buffer {
  const noTime = [short(0), short(0x21)]; // 1 January 1980: logs carry their own times
  return Buffer.concat([
    short(20),
    short(utf8Names),
    short(deflated),
    ...noTime,
    long(crc),
    long(packed),
    long(size),
    short(nameLength),
    short(0),
  ]);
}

function entryFields(offset: number): Buffer {
  return Buffer.concat([short(0), short(0), short(0), long(0), long(offset)]);
}

function signature(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
