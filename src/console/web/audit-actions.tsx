/** What can be done with a search: verify the trails, look at them, export what was found, turn its order around. */
import '@ui5/webcomponents-icons/dist/download.js';
import '@ui5/webcomponents-icons/dist/refresh.js';
import '@ui5/webcomponents-icons/dist/sort.js';
import { Button, Menu, MenuItem } from '@ui5/webcomponents-react';
import { useId, useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { ExportFormat } from '../api/record.ts';
import type { AuditHealth, AuditQuery } from '../api/trail.ts';
import { apiBase } from './api.ts';
import { parametersOf } from './route.ts';
import { TrailsDialog } from './trails-dialog.tsx';
import { VerifyDialog } from './verify-dialog.tsx';
import { useWords } from './words.tsx';

interface AuditActionsProps {
  readonly query: AuditQuery;
  readonly health: AuditHealth | undefined;
  readonly again: () => void;
  readonly order: 'newest' | 'oldest';
  readonly turnAround: () => void;
}

const exportFormats: readonly ExportFormat[] = ['csv', 'ocsf', 'ecs', 'cef', 'lines'];

export function AuditActions({ query, health, again, order, turnAround }: AuditActionsProps): ReactNode {
  const { say } = useWords();
  const [menu, setMenu] = useState(false);
  const [trails, showTrails] = useState(false);
  const [verify, showVerify] = useState(false);
  const opener = useId();
  return (
    <>
      <Button design="Emphasized" onClick={() => showVerify(true)}>
        {say('verify')}
      </Button>
      <Button onClick={() => showTrails(true)}>{say('trails')}</Button>
      <Button
        id={opener}
        icon="download"
        onClick={() => setMenu(true)}
        accessibilityAttributes={{ hasPopup: 'menu' }}
      >
        {say('export')}
      </Button>
      <Button icon="sort" tooltip={say('order.turn')} onClick={turnAround}>
        {say(`order.${order}`)}
      </Button>
      <Button icon="refresh" tooltip={say('refresh')} accessibleName={say('refresh')} onClick={again} />
      <Menu
        open={menu}
        opener={opener}
        headerText={say('export')}
        onClose={() => setMenu(false)}
        onItemClick={({ detail }) => {
          const format = exportFormats.find((name) => name === detail.item.dataset['format']);
          if (format) download(query, format);
        }}
      >
        {exportFormats.map((format) => (
          <MenuItem key={format} data-format={format} text={say(`export.${format}`)} />
        ))}
      </Menu>
      <TrailsDialog open={trails} close={() => showTrails(false)} health={health} />
      <VerifyDialog open={verify} close={() => showVerify(false)} />
    </>
  );
}

/** A link, so that the browser streams it to disk and no page has to hold it. */
function download(query: AuditQuery, format: ExportFormat): void {
  const link = document.createElement('a');
  const parameters = parametersOf(query);
  parameters.set('format', format);
  link.href = `${apiBase}${endpoints.export.path}?${parameters}`;
  link.download = '';
  link.click();
}
