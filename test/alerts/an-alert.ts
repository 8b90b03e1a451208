/** An alert as the gateway makes them, for tests that are about its way. */
import type { Alert } from '../../src/alerts/alert.ts';

export function anAlert(changes: Partial<Alert> = {}): Alert {
  const at = new Date().toISOString();
  return {
    id: '2f1c4e0a-0000-4000-8000-000000000001',
    name: 'guard-held',
    state: 'raised',
    severity: 'critical',
    subject: 'k7m',
    summary: 'The guard holds back what would take away too much (k7m)',
    facts: { kind: 'delete', system: 'people', count: 51 },
    at,
    since: at,
    times: 1,
    instance: 'gw-1',
    remedy: 'Look whether it is meant.',
    see: 'docs/operations.md#guards',
    ...changes,
  };
}
