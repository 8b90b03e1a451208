/** The hardening checks of this installation. */
import type { SecurityWord } from './security-words.ts';

export interface Security {
  readonly checks: readonly SecurityCheck[];
}

export interface SecurityCheck {
  /** Stable, such as `listen.tls`. */
  readonly id: string;
  readonly area: 'listeners' | 'callers' | 'tenants' | 'audit' | 'cache' | 'console' | 'process' | 'expiry';
  readonly state: 'good' | 'advice' | 'danger';
  /** In English, as are `detail` and `remedy`. */
  readonly title: string;
  readonly detail: string;
  /** Absent when it is good. */
  readonly remedy?: string;
  /** The key of the configuration. */
  readonly setting?: string;
  /** The words that the texts were made of, for translations, and what was filled in. */
  readonly words: {
    readonly title: SecurityWord;
    readonly detail: SecurityWord;
    readonly remedy?: SecurityWord;
  };
  readonly values: Readonly<Record<string, string>>;
}
