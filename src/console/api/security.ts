/** The hardening checks of this installation. */
export interface Security {
  readonly checks: readonly SecurityCheck[];
}

export interface SecurityCheck {
  /** Stable, such as `listen.tls`; for translations. */
  readonly id: string;
  readonly area: 'listeners' | 'callers' | 'tenants' | 'audit' | 'cache' | 'console' | 'process' | 'expiry';
  readonly title: string;
  readonly state: 'good' | 'advice' | 'danger';
  readonly detail: string;
  /** Absent when it is good. */
  readonly remedy?: string;
  /** The key of the configuration. */
  readonly setting?: string;
}
