/**
 * What is searched for: a time, a person or resource by a typed value, a request. Invariant: a typed value goes to the server
 * only to become pseudonyms; it never stands in the address.
 */
import {
  Button,
  DateTimePicker,
  Input,
  Label,
  MessageStrip,
  Token,
  Tokenizer,
} from '@ui5/webcomponents-react';
import { useId, useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { AuditQuery, PseudonymReply, PseudonymRequest } from '../api/trail.ts';
import { call } from './api.ts';
import { refusalOf } from './fetched.ts';
import { criteria } from './route.ts';
import type { Word } from './words-en.ts';
import { useWords } from './words.tsx';

interface AuditSearchProps {
  readonly query: AuditQuery;
  readonly change: (change: Partial<AuditQuery>) => void;
}

const hour = 3_600_000;
const spans: readonly (readonly [Word, number])[] = [
  ['span.hour', hour],
  ['span.day', 24 * hour],
  ['span.week', 7 * 24 * hour],
];

export function AuditSearch({ query, change }: AuditSearchProps): ReactNode {
  const { say } = useWords();
  const [failed, setFailed] = useState<string>();
  const valueId = useId();
  const requestId = useId();

  const find = async (value: string): Promise<void> => {
    setFailed(undefined);
    if (value === '') return change({ pseudonym: undefined });
    const asked: PseudonymRequest = { value };
    try {
      const { pseudonyms } = await call<PseudonymReply>('POST', endpoints.pseudonyms.path, asked);
      change({ pseudonym: pseudonyms });
    } catch (error) {
      setFailed(refusalOf(error).problem.detail);
    }
  };

  return (
    <div className="search" role="search" aria-label={say('search')}>
      <div className="field grow">
        <Label for={valueId} showColon>
          {say('search.value')}
        </Label>
        <Input
          id={valueId}
          className="wide"
          showClearIcon
          placeholder={say('search.value.hint')}
          accessibleName={say('search.value')}
          onChange={({ target }) => void find(target.value.trim())}
        />
      </div>
      <div className="field">
        <Label for={requestId} showColon>
          {say('search.request')}
        </Label>
        <Input
          id={requestId}
          className="request"
          showClearIcon
          accessibleName={say('search.request')}
          value={query.request ?? ''}
          onChange={({ target }) => change({ request: target.value.trim() || undefined })}
        />
      </div>
      <Instant name="search.from" value={query.from} change={(from) => change({ from })} />
      <Instant name="search.to" value={query.to} change={(to) => change({ to })} />
      <div className="spans" role="group" aria-label={say('search.span')}>
        {spans.map(([name, ms]) => (
          <Button
            key={name}
            design="Transparent"
            onClick={() => change({ from: new Date(Date.now() - ms).toISOString(), to: undefined })}
          >
            {say(name)}
          </Button>
        ))}
        <Button design="Transparent" onClick={() => change({ from: undefined, to: undefined })}>
          {say('span.all')}
        </Button>
      </div>
      {failed !== undefined && (
        <MessageStrip design="Negative" hideCloseButton>
          {failed}
        </MessageStrip>
      )}
    </div>
  );
}

interface InstantProps {
  readonly name: 'search.from' | 'search.to';
  readonly value: string | undefined;
  readonly change: (instant: string | undefined) => void;
}

function Instant({ name, value, change }: InstantProps): ReactNode {
  const { say, format } = useWords();
  const id = useId();
  return (
    <div className="field">
      <Label for={id} showColon>
        {say(name)}
      </Label>
      <DateTimePicker
        id={id}
        className="instant"
        accessibleName={say(name)}
        valueFormat="yyyy-MM-dd HH:mm:ss"
        displayFormat={say('search.instant.format')}
        placeholder={say('search.instant.hint', { example: format.moment(endOfYear()) })}
        value={value === undefined ? '' : localText(value)}
        onChange={({ detail }) => {
          const instant = new Date(detail.value.replace(' ', 'T'));
          change(detail.value === '' || Number.isNaN(instant.getTime()) ? undefined : instant.toISOString());
        }}
      />
    </div>
  );
}

function endOfYear(): number {
  return new Date(new Date().getFullYear(), 11, 31, 23, 59, 59).getTime();
}

/** As the picker writes it, in the reader's own time. */
function localText(instant: string): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 19)
    .replace('T', ' ');
}

/** What the search is narrowed by, each with its way out. */
export function Criteria({ query, change }: AuditSearchProps): ReactNode {
  const { say, sayOr } = useWords();
  const tokens: { readonly text: string; readonly clear: Partial<AuditQuery> }[] = criteria
    .filter((name) => query[name] !== undefined)
    .map((name) => ({
      text: `${say(`criterion.${name}`)}: ${sayOr(`${name}.${query[name]}`, query[name] ?? '')}`,
      clear: { [name]: undefined },
    }));
  if (query.pseudonym)
    tokens.push({
      text: say('criterion.pseudonym', { count: query.pseudonym.length }),
      clear: { pseudonym: undefined },
    });
  if (query.instance)
    tokens.push({
      text: `${say('facet.instance')}: ${query.instance.join(', ')}`,
      clear: { instance: undefined },
    });
  if (tokens.length === 0) return null;
  return (
    <Tokenizer
      accessibleName={say('criteria')}
      className="criteria"
      onTokenDelete={({ detail }) => {
        const gone = new Set(detail.tokens.map(({ text }) => text));
        for (const { text, clear } of tokens) if (gone.has(text)) change(clear);
      }}
    >
      {tokens.map(({ text }) => (
        <Token key={text} text={text} />
      ))}
    </Tokenizer>
  );
}
