/**
 * A client that sends what a step says and nothing that a library would add, and keeps all that it can tell from the
 * answer. Answers of two places can be compared, because the address of the base is written `{base}` in them.
 */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';

export interface Step {
  readonly title: string;
  readonly method: string;
  /** Below the base; ids are not encoded yet. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The gateway answers some faulty requests itself, with the same status and in words of its own. */
  readonly ownWords?: true;
}

/** What a client can tell from an answer; the address of the base is written `{base}`. */
interface Heard {
  readonly step: string;
  readonly status: number;
  readonly type: string | undefined;
  readonly etag: string | undefined;
  readonly location: string | undefined;
  readonly body: string | undefined;
}

export interface Answer {
  readonly heard: Heard;
  readonly cacheStatus: string | undefined;
  /** The links of the answer: each `meta.location`, `location`, `$ref` and the `Location` field. */
  readonly links: readonly string[];
}

/** Sends what the step says and nothing that a client library would add. */
export async function play(base: string, step: Step, logOn?: string): Promise<Answer> {
  const { method, path, body, headers } = step;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = http.request(base + path.replaceAll(/[^!-~]/gu, encodeURIComponent), {
    method,
    agent: new http.Agent(),
    headers: {
      ...(text !== undefined && {
        'content-type': 'application/scim+json',
        'content-length': Buffer.byteLength(text),
      }),
      ...(logOn !== undefined && { authorization: logOn }),
      ...headers,
    },
  });
  request.end(text);
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  return hear(base, step, reply, Buffer.concat(await reply.toArray()).toString());
}

function hear(base: string, { title, ownWords }: Step, reply: IncomingMessage, body: string): Answer {
  const { statusCode: status = 0, headers } = reply;
  const place = (text: string | undefined): string | undefined => text?.replaceAll(base, '{base}');
  return {
    heard: {
      step: title,
      status,
      type: ownWords ? undefined : headers['content-type'],
      etag: ownWords ? undefined : headers.etag,
      location: place(headers.location),
      body: ownWords ? undefined : place(body),
    },
    cacheStatus: headers['cache-status']?.toString(),
    links: [...(headers.location ? [headers.location] : []), ...linksIn(body)],
  };
}

function linksIn(body: string): string[] {
  return [...body.matchAll(/"(?:location|\$ref)":("(?:[^"\\]|\\.)*")/g)].map(([, link = '""']) =>
    String(JSON.parse(link)),
  );
}
