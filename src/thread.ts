/** How threads speak to each other. A thread's port knows no target origin as a window does, whatever the linter believes. */

interface Port {
  postMessage(message: unknown): void;
}

/** @param to null or undefined where there is no other side, so that nobody listens */
export function post(to: Port | null | undefined, message: unknown): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  to?.postMessage(message);
}
