/**
 * A tenant that reads bytes instead of HTTP: it keeps every byte of what arrives, and parses it by the strictest rule that
 * there is, so that nothing which the gateway should not have sent can look harmless. It answers every request.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface Arrived {
  readonly line: string;
  /** The fields as they came, each `name: value`. */
  readonly fields: readonly string[];
  readonly body: string;
}

export interface RecordingTenant extends AsyncDisposable {
  readonly url: string;
  readonly arrived: Arrived[];
  /** What was not a request as the gateway writes them; anything here is a finding. */
  readonly faults: string[];
}

export async function startRecordingTenant(): Promise<RecordingTenant> {
  const arrived: Arrived[] = [];
  const faults: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let unread = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      unread += text;
      for (;;) {
        const taken = takeRequest(unread, faults);
        if (!taken) return;
        unread = unread.slice(taken.length);
        arrived.push(taken.request);
        socket.write(answerTo(taken.request));
      }
    });
    socket.on('error', () => {}); // the gateway may end a connection as it likes
    socket.once('close', () => {
      sockets.delete(socket);
      if (unread) faults.push(`half a request: ${unread}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    faults,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const requestLine = /^(?:GET|POST|PUT|PATCH|DELETE) \/[!-~]* HTTP\/1\.1$/;
const field = /^[A-Za-z-]+: [ -~]*$/;

function takeRequest(text: string, faults: string[]): { request: Arrived; length: number } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...fields] = text.slice(0, end).split('\r\n');
  if (!requestLine.test(line)) faults.push(`a request line: ${line}`);
  faults.push(...fields.filter((each) => !field.test(each)).map((each) => `a field: ${each}`));
  const lengths = fields.flatMap((each) => /^content-length: (\d+)$/i.exec(each)?.[1] ?? []);
  if (lengths.length > 1) faults.push(`${lengths.length} lengths`);
  const length = end + 4 + Number(lengths[0] ?? 0);
  if (text.length < length) return undefined;
  return { request: { line, fields, body: text.slice(end + 4, length) }, length };
}

function answerTo({ line }: Arrived): string {
  if (line.startsWith('DELETE')) return 'HTTP/1.1 204 No Content\r\n\r\n';
  const status = line.startsWith('POST') ? '201 Created' : '200 OK';
  return `HTTP/1.1 ${status}\r\nContent-Type: application/scim+json\r\nContent-Length: 14\r\n\r\n{"schemas":[]}`;
}
