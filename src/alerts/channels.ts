/** The kinds of channels and what each needs to know. */
import { hostname } from 'node:os';

import type { PostOptions } from '../delivery/post.ts';
import type { SyslogOptions } from '../delivery/syslog.ts';
import type { Channel } from './alert.ts';
import { MailChannel, type MailOptions } from './mail.ts';
import { SyslogChannel } from './syslog.ts';
import { WebhookChannel } from './webhook.ts';

export type ChannelSettings =
  | (PostOptions & { readonly type: 'webhook'; readonly secret: () => string })
  | (Omit<SyslogOptions, 'hostname'> & { readonly type: 'syslog' })
  | (MailOptions & { readonly type: 'smtp' });

export function openChannel(settings: ChannelSettings): Channel {
  switch (settings.type) {
    case 'webhook':
      return new WebhookChannel(settings);
    case 'syslog':
      return new SyslogChannel({ ...settings, hostname: hostname() });
    case 'smtp':
      return new MailChannel(settings);
  }
}
