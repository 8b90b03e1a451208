/**
 * The records that were found, as a grid of which only the rows in sight exist. Invariant: the grid has one stop for the
 * tab key; arrows move the row, Enter opens it.
 */
import {
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from 'react';

import type { RecordRow } from '../api/record.ts';
import { Swatch } from './outcomes.tsx';
import type { Records } from './records.ts';
import { useWidth } from './width.ts';
import type { Word } from './words-en.ts';
import { useWords } from './words.tsx';

const rowHeight = 32;
const spare = 8;

interface Column {
  readonly name: Word;
  readonly width: string;
  /** In pixels; a narrower grid leaves it out. */
  readonly from: number;
  readonly end?: boolean;
  readonly cell: (row: RecordRow) => ReactNode;
}

interface RecordTableProps {
  readonly records: Records;
  readonly chosen: string | undefined;
  readonly choose: (id: string) => void;
  readonly replicas: boolean;
}

export function RecordTable({ records, chosen, choose, replicas }: RecordTableProps): ReactNode {
  const { say, format } = useWords();
  const { rows, more, busy, total, loadMore } = records;
  const [box, width] = useWidth<HTMLDivElement>();
  const [window, setWindow] = useState({ first: 0, count: 40 });
  const [active, setActive] = useState(0);
  const grid = useRef<HTMLDivElement>(null);
  const id = useId();
  const columns = useColumns(replicas).filter(({ from }) => width >= from);
  const template = columns.map((column) => column.width).join(' ');
  const last = Math.min(window.first + window.count, rows.length);

  const look = (): void => {
    const { scrollTop = 0, clientHeight = 600 } = grid.current ?? {};
    const first = Math.max(Math.floor(scrollTop / rowHeight) - spare, 0);
    const count = Math.ceil(clientHeight / rowHeight) + 2 * spare;
    setWindow((former) => (former.first === first && former.count === count ? former : { first, count }));
  };
  useLayoutEffect(look, [width]);
  useEffect(() => {
    if (last > rows.length - 60) loadMore();
  });

  const show = (index: number): void => {
    const to = Math.min(Math.max(index, 0), rows.length - 1);
    setActive(to);
    const element = grid.current;
    if (!element) return;
    // The header covers the first row's height.
    const top = to * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    const bottom = top + 2 * rowHeight - element.clientHeight;
    if (bottom > element.scrollTop) element.scrollTop = bottom;
  };
  const move = (event: KeyboardEvent): void => {
    const screen = Math.max(Math.floor((grid.current?.clientHeight ?? 0) / rowHeight) - 2, 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + screen,
      PageUp: active - screen,
      Home: 0,
      End: rows.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) show(to);
    else if (event.key === 'Enter' || event.key === ' ') {
      const row = rows[active];
      if (row) choose(row.id);
    } else return;
    event.preventDefault();
  };

  return (
    <div
      ref={(element) => {
        grid.current = element;
        box.current = element;
      }}
      className="grid"
      role="grid"
      aria-label={say('records.label')}
      aria-rowcount={more ? -1 : rows.length + 1}
      aria-busy={busy}
      aria-activedescendant={rows[active] ? `${id}-${active}` : undefined}
      tabIndex={0}
      onScroll={look}
      onKeyDown={move}
    >
      <div
        className="grid-row grid-head"
        role="row"
        aria-rowindex={1}
        style={{ gridTemplateColumns: template }}
      >
        {columns.map(({ name, end }) => (
          <div key={name} role="columnheader" className={end ? 'end' : ''}>
            {say(name)}
          </div>
        ))}
      </div>
      <div role="rowgroup" className="grid-body" style={{ height: rows.length * rowHeight }}>
        {rows.slice(window.first, last).map((row, offset) => {
          const index = window.first + offset;
          return (
            <div
              key={row.id}
              id={`${id}-${index}`}
              role="row"
              aria-rowindex={index + 2}
              aria-selected={row.id === chosen}
              className={`grid-row weight-${row.weight} ${index === active ? 'active' : ''}`}
              style={{ gridTemplateColumns: template, top: index * rowHeight }}
              onClick={() => {
                setActive(index);
                choose(row.id);
              }}
            >
              {columns.map((column) => (
                <div key={column.name} role="gridcell" className={column.end ? 'end' : ''}>
                  {column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
      <div className="grid-foot quiet" role="presentation">
        {busy
          ? say('loading')
          : total === undefined
            ? say('records.shown', { count: format.count(rows.length) })
            : say('records.of', { count: format.count(rows.length), total: format.count(total) })}
      </div>
    </div>
  );
}

function useColumns(replicas: boolean): readonly Column[] {
  const { format } = useWords();
  const text = (value: string | undefined): ReactNode => value && <span title={value}>{value}</span>;
  const replica: Column = {
    name: 'column.replica',
    width: 'minmax(90px, 0.7fr)',
    from: 1000,
    cell: ({ instance }) => text(instance),
  };
  return [
    {
      name: 'column.time',
      width: '136px',
      from: 0,
      cell: ({ at }) => <span title={at}>{format.moment(at)}</span>,
    },
    { name: 'column.what', width: 'minmax(138px, 1.8fr)', from: 0, cell: (row) => <What row={row} /> },
    { name: 'column.outcome', width: 'minmax(130px, 1.4fr)', from: 0, cell: (row) => <Ending row={row} /> },
    { name: 'column.caller', width: 'minmax(110px, 1fr)', from: 600, cell: ({ caller }) => text(caller) },
    { name: 'column.system', width: 'minmax(110px, 1fr)', from: 810, cell: ({ system }) => text(system) },
    ...(replicas ? [replica] : []),
    { name: 'column.cache', width: '76px', from: 900, cell: ({ cache }) => text(cache) },
    {
      name: 'column.ms',
      width: '72px',
      from: 680,
      end: true,
      cell: ({ ms }) => (ms === undefined ? '' : format.span(ms)),
    },
  ];
}

function What({ row: { operation, event, outcome } }: { readonly row: RecordRow }): ReactNode {
  if (operation === undefined) return <code title={event}>{event}</code>;
  return (
    <span title={`${operation} (${event})`}>
      {operation} {outcome === undefined && <code className="quiet">{event}</code>}
    </span>
  );
}

/** An intent has none. */
export function hasEnding({ outcome, status, error, result }: RecordRow): boolean {
  return (outcome ?? status ?? error ?? result) !== undefined;
}

export function Ending({ row: { outcome, status, error, result } }: { readonly row: RecordRow }): ReactNode {
  const { say } = useWords();
  const detail = error ?? (status === undefined ? result : String(status));
  if (outcome === undefined) return <span className="quiet">{detail ?? ''}</span>;
  return (
    <span className="ending" title={detail}>
      <Swatch name={outcome} /> {say(`outcome.${outcome}`)}{' '}
      {detail !== undefined && <span className="quiet">{detail}</span>}
    </span>
  );
}
