/** The frame around every page: name, navigation by role, and the reader's own menu. */
import '@ui5/webcomponents-icons/dist/bbyd-dashboard.js';
import '@ui5/webcomponents-icons/dist/connected.js';
import '@ui5/webcomponents-icons/dist/inspection.js';
import '@ui5/webcomponents-icons/dist/menu2.js';
import '@ui5/webcomponents-icons/dist/shield.js';
import {
  Avatar,
  Button,
  NavigationLayout,
  ShellBar,
  SideNavigation,
  SideNavigationItem,
} from '@ui5/webcomponents-react';
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';

import { endpoints, type Role } from '../api/endpoints.ts';
import type { Gateway, Session } from '../api/session.ts';
import type { useAppearance } from './appearance.ts';
import { Busy } from './busy.tsx';
import logo from './gatehouse.svg';
import { useNavigation } from './navigation.tsx';
import { OwnMenu } from './own-menu.tsx';
import { PageBoundary } from './page-failure.tsx';
import { addressOf, type PageName } from './route.ts';
import { SessionWatch } from './session-watch.tsx';
import { useWords } from './words.tsx';

const AuditPage = lazy(async () => ({ default: (await import('./audit.tsx')).AuditPage }));
const OverviewPage = lazy(async () => ({ default: (await import('./overview.tsx')).OverviewPage }));
const PartiesPage = lazy(async () => ({ default: (await import('./parties.tsx')).PartiesPage }));
const SecurityPage = lazy(async () => ({ default: (await import('./security.tsx')).SecurityPage }));

interface Entry {
  readonly page: PageName;
  readonly icon: string;
  readonly roles: readonly Role[];
  readonly show: () => ReactNode;
}

/** Who may ask for what a page shows, may see the page; the server decides for itself. */
const entries: readonly Entry[] = [
  {
    page: 'overview',
    icon: 'bbyd-dashboard',
    roles: endpoints.overview.roles,
    show: () => <OverviewPage />,
  },
  { page: 'audit', icon: 'inspection', roles: endpoints.records.roles, show: () => <AuditPage /> },
  { page: 'parties', icon: 'connected', roles: endpoints.parties.roles, show: () => <PartiesPage /> },
  { page: 'security', icon: 'shield', roles: endpoints.security.roles, show: () => <SecurityPage /> },
];

export type User = NonNullable<Session['user']>;

interface ShellProps {
  readonly gateway: Gateway;
  readonly user: User;
  readonly appearance: ReturnType<typeof useAppearance>;
  readonly look: () => Promise<void>;
  readonly leave: () => void;
}

export function Shell({ gateway, user, appearance, look, leave }: ShellProps): ReactNode {
  const { say } = useWords();
  const { view, go } = useNavigation();
  const [wide, setWide] = useState(() => matchMedia('(min-width: 1200px)').matches);
  const [menu, setMenu] = useState<HTMLElement>();
  const allowed = entries.filter(({ roles }) => roles.includes(user.role));
  const shown = allowed.find(({ page }) => page === view.page) ?? allowed[0];
  useEffect(() => {
    if (shown) document.title = `${say(`page.${shown.page}`)} · Gatehouse`;
  }, [shown, say]);

  return (
    <>
      <a
        className="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector<HTMLElement>('#content')?.focus();
        }}
      >
        {say('skip')}
      </a>
      <NavigationLayout
        mode={wide ? 'Expanded' : 'Collapsed'}
        header={
          <ShellBar
            startButton={
              <div className="brand">
                <Button
                  design="Transparent"
                  icon="menu2"
                  tooltip={say('navigation.toggle')}
                  accessibleName={say('navigation.toggle')}
                  accessibilityAttributes={{ expanded: wide }}
                  onClick={() => setWide(!wide)}
                />
                <a
                  href={addressOf({ query: {} })}
                  onClick={(event) => {
                    event.preventDefault();
                    go({ query: {} });
                  }}
                >
                  <img src={logo} alt="" width={28} height={28} />
                  Gatehouse
                </a>
                <span className="quiet">{gateway.instance}</span>
              </div>
            }
            profile={
              <Avatar
                initials={initialsOf(user.name)}
                colorScheme="Accent6"
                accessibleName={say('menu.own')}
              />
            }
            onProfileClick={(event) => setMenu(event.detail.targetRef)}
          />
        }
        sideContent={
          <SideNavigation accessibleName={say('navigation')} collapsed={!wide}>
            {allowed.map(({ page, icon }) => (
              <NavigationEntry key={page} page={page} icon={icon} selected={page === shown?.page} />
            ))}
          </SideNavigation>
        }
      >
        <main id="content" tabIndex={-1} className="content">
          <PageBoundary key={shown?.page}>
            <Suspense fallback={<Busy />}>{shown?.show()}</Suspense>
          </PageBoundary>
        </main>
      </NavigationLayout>
      <OwnMenu opener={menu} close={() => setMenu(undefined)} {...{ gateway, user, appearance, leave }} />
      <SessionWatch user={user} look={look} leave={leave} />
    </>
  );
}

function NavigationEntry({
  page,
  icon,
  selected,
}: Pick<Entry, 'page' | 'icon'> & { readonly selected: boolean }): ReactNode {
  const { say } = useWords();
  const { go } = useNavigation();
  return (
    <SideNavigationItem
      text={say(`page.${page}`)}
      tooltip={say(`page.${page}`)}
      icon={icon}
      selected={selected}
      href={addressOf({ page, query: {} })}
      onClick={(event) => {
        event.preventDefault();
        go({ page, query: {} });
      }}
    />
  );
}

const initialsOf = (name: string): string =>
  name
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .slice(0, 2)
    .map(([first = '']) => first.toUpperCase())
    .join('') || '?';
