/** The reader's own menu: who is logged on as what, how the page looks and speaks, and the way out. */
import '@ui5/webcomponents-icons/dist/log.js';
import '@ui5/webcomponents-icons/dist/person-placeholder.js';
import {
  Avatar,
  Button,
  Label,
  Popover,
  SegmentedButton,
  SegmentedButtonItem,
  Title,
} from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { Gateway } from '../api/session.ts';
import { appearances, type useAppearance } from './appearance.ts';
import type { User } from './shell.tsx';
import { useWords, type Language } from './words.tsx';

interface OwnMenuProps {
  readonly opener: HTMLElement | undefined;
  readonly close: () => void;
  readonly gateway: Gateway;
  readonly user: User;
  readonly appearance: ReturnType<typeof useAppearance>;
  readonly leave: () => void;
}

const languages: readonly { readonly code: Language; readonly name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'de', name: 'Deutsch' },
];

export function OwnMenu({ opener, close, gateway, user, appearance, leave }: OwnMenuProps): ReactNode {
  const { say, format, language, setLanguage } = useWords();
  const [chosen, choose] = appearance;
  return (
    <Popover
      open={opener !== undefined}
      opener={opener}
      placement="Bottom"
      horizontalAlign="End"
      accessibleName={say('menu.own')}
      onClose={close}
      className="own-menu"
    >
      <div className="stack">
        <div className="own-menu-name">
          <Avatar icon="person-placeholder" colorScheme="Accent6" accessibleName="" />
          <div>
            <Title level="H2" size="H5">
              {user.name}
            </Title>
            <div className="quiet">
              {say(`role.${user.role}`)} · {say(user.by === 'oidc' ? 'menu.byOidc' : 'menu.byLocal')}
            </div>
          </div>
        </div>
        <Label>{say('menu.appearance')}</Label>
        <SegmentedButton
          accessibleName={say('menu.appearance')}
          onSelectionChange={(event) => {
            const found = appearances.find(
              (name) => name === event.detail.selectedItems[0]?.dataset['value'],
            );
            if (found) choose(found);
          }}
        >
          {appearances.map((name) => (
            <SegmentedButtonItem key={name} data-value={name} selected={name === chosen}>
              {say(`appearance.${name}`)}
            </SegmentedButtonItem>
          ))}
        </SegmentedButton>
        <Label>{say('menu.language')}</Label>
        <SegmentedButton
          accessibleName={say('menu.language')}
          onSelectionChange={(event) => {
            const found = languages.find(
              ({ code }) => code === event.detail.selectedItems[0]?.dataset['value'],
            );
            if (found) setLanguage(found.code);
          }}
        >
          {languages.map(({ code, name }) => (
            <SegmentedButtonItem key={code} data-value={code} selected={code === language}>
              {name}
            </SegmentedButtonItem>
          ))}
        </SegmentedButton>
        <div className="quiet small">
          {say('menu.until', { time: format.minute(user.endsAt) })}
          <br />
          {say('menu.version', { version: gateway.version, instance: gateway.instance })}
        </div>
        <Button icon="log" design="Default" className="wide" onClick={leave}>
          {say('menu.leave')}
        </Button>
      </div>
    </Popover>
  );
}
