/** The present view, which is the browser's address: back and forward work, and a link that is sent opens the same. */
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

import { addressOf, viewOf, type View } from './route.ts';

interface Navigation {
  readonly view: View;
  /** `replace` leaves no step behind for the button back. */
  readonly go: (view: View, how?: 'replace') => void;
}

const NavigationContext = createContext<Navigation | undefined>(undefined);
const present = (): View => viewOf(new URL(location.href));

export function NavigationProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [view, setView] = useState(present);
  useEffect(() => {
    const follow = (): void => setView(present());
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  const go = useCallback((next: View, how?: 'replace') => {
    history[how === 'replace' ? 'replaceState' : 'pushState'](null, '', addressOf(next));
    setView(next);
  }, []);
  const navigation = useMemo(() => ({ view, go }), [view, go]);
  return <NavigationContext value={navigation}>{children}</NavigationContext>;
}

export function useNavigation(): Navigation {
  const navigation = useContext(NavigationContext);
  if (!navigation) throw new Error('useNavigation needs a NavigationProvider');
  return navigation;
}
