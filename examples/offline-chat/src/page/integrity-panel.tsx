import type { Finding } from '@chatdoc/integrity';
import type { Chat } from '@chatdoc/schema';
import { useState } from 'react';

/** The rules are loaded when somebody asks. */
export function IntegrityPanel({ chat }: { readonly chat: Chat }) {
  const [findings, setFindings] = useState<readonly Finding[]>();
  const run = async (): Promise<void> => {
    const { check } = await import('@chatdoc/integrity');
    setFindings(check(chat).filter(({ severity }) => severity !== 'info'));
  };
  const mend = async (): Promise<void> => {
    const { repair } = await import('@chatdoc/integrity');
    repair(chat);
    await run();
  };
  return (
    <section className="integrity">
      <button type="button" onClick={() => void run()}>
        Check the document
      </button>
      {findings?.length === 0 && <p role="status">All rules hold.</p>}
      {findings !== undefined && findings.length > 0 && (
        <>
          <ul>
            {findings.map(({ rule, message, ids }) => (
              <li key={`${rule} ${ids[0]}`}>
                <b>{rule}</b> {message}
              </li>
            ))}
          </ul>
          <button type="button" onClick={() => void mend()}>
            Repair
          </button>
        </>
      )}
    </section>
  );
}
