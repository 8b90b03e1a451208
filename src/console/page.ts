/**
 * The built page: `index.html` and files whose names carry their hash. Invariant: only files that were there when the
 * gateway started are served, by their exact names; a path is never built from a request.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';

const directory = join(import.meta.dirname, 'web', 'dist');
export const pagePrefix = '/console/';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
/** In the order in which they are liked best. */
const encodings = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

const missing = `<!doctype html><html lang="en"><title>Gatehouse console</title><h1>The console’s page is not built</h1>
<p>Run <code>npm run build</code> in the gateway’s directory and restart the gateway. The endpoints below
<code>/console/api/</code> work all the same.</p></html>`;

export class Page {
  readonly #directory: string;
  readonly #files: ReadonlySet<string>;
  /** Read once: however many ask for a file and do not take it, it is in memory once. */
  readonly #contents = new Map<string, Promise<Buffer>>();

  private constructor(place: string, files: ReadonlySet<string>) {
    this.#directory = place;
    this.#files = files;
  }

  static async open(place = directory): Promise<Page> {
    const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      },
    );
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(place, join(entry.parentPath, entry.name)).split(sep).join('/'));
    return new Page(place, new Set(files));
  }

  get isBuilt(): boolean {
    return this.#files.has('index.html');
  }

  /** Whatever is no file is a place within the page, which the page itself knows. */
  async send(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const name = path.slice(pagePrefix.length);
    const file = this.#files.has(name) && types[extname(name)] !== undefined ? name : 'index.html';
    const isPlace = file === name || extname(name) === '';
    if (!isPlace) return void response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    if (!this.isBuilt) return void response.writeHead(503, { 'content-type': types['.html'] }).end(missing);
    const [encoding, suffix] = this.#encodingFor(request, file);
    const content = await this.#read(file + suffix);
    response.writeHead(200, {
      'content-type': types[extname(file)],
      'content-length': content.length,
      vary: 'accept-encoding',
      // A file with its hash in the name never changes; the one that names them may.
      'cache-control': file.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(encoding && { 'content-encoding': encoding }),
    });
    response.end(request.method === 'HEAD' ? undefined : content);
  }

  #read(file: string): Promise<Buffer> {
    return this.#contents.getOrInsertComputed(file, async () => {
      try {
        return await readFile(join(this.#directory, file));
      } catch (error) {
        this.#contents.delete(file);
        throw error;
      }
    });
  }

  #encodingFor({ headers }: IncomingMessage, file: string): readonly [encoding: string, suffix: string] {
    const taken = (headers['accept-encoding'] ?? '').split(/\s*,\s*/);
    const found = encodings.find(([name, suffix]) => taken.includes(name) && this.#files.has(file + suffix));
    return found ?? ['', ''];
  }
}
