/** The proof that a record stands in the trail, asked for when somebody wants it, and given as a file. */
import { Button, ObjectStatus } from '@ui5/webcomponents-react';
import { useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { ProofReply } from '../api/record.ts';
import { fill, get, type Refusal } from './api.ts';
import { refusalOf } from './fetched.ts';
import { useWords } from './words.tsx';

export function Proof({ id }: { readonly id: string }): ReactNode {
  const { say, format } = useWords();
  const [proof, setProof] = useState<ProofReply>();
  const [refusal, setRefusal] = useState<Refusal>();
  if (!proof)
    return (
      <div className="actions">
        <Button
          onClick={() => {
            setRefusal(undefined);
            get<ProofReply>(fill(endpoints.proof.path, { record: id })).then(setProof, (error: unknown) =>
              setRefusal(refusalOf(error)),
            );
          }}
        >
          {say('proof.get')}
        </Button>
        <span role="status" className="quiet">
          {refusal && (refusal.status === 409 ? say('proof.notYet') : refusal.problem.detail)}
        </span>
      </div>
    );
  return (
    <div className="stack">
      <ObjectStatus state={proof.holds ? 'Positive' : 'Negative'} showDefaultIcon>
        {say(proof.holds ? 'proof.holds' : 'proof.fails')}
      </ObjectStatus>
      <dl className="pairs">
        <div>
          <dt>{say('proof.place')}</dt>
          <dd>
            {say('proof.place.value', {
              place: format.count(proof.index + 1),
              size: format.count(proof.size),
            })}
          </dd>
        </div>
        <div>
          <dt>{say('proof.root')}</dt>
          <dd>
            <code className="wrap">{proof.root}</code>
          </dd>
        </div>
      </dl>
      <div className="actions">
        <Button icon="download" onClick={() => save(proof.proof, `proof-${id}.json`)}>
          {say('proof.save')}
        </Button>
        <code className="quiet">gatehouse audit check-proof</code>
      </div>
    </div>
  );
}

function save(content: unknown, name: string): void {
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name.replaceAll(/[^\w.-]/g, '-');
  link.click();
  URL.revokeObjectURL(address);
}
