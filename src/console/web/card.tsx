/** A titled part of a page. */
import { Title } from '@ui5/webcomponents-react';
import { useId, type ReactNode } from 'react';

interface CardProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly action?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Card({ title, note, action, className = '', children }: CardProps): ReactNode {
  const id = useId();
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <header className="card-head">
        <div>
          <Title level="H2" size="H5" id={id}>
            {title}
          </Title>
          {note !== undefined && <div className="quiet">{note}</div>}
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}
