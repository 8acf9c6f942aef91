import { useChat } from '@chatdoc/react';
import { type DragEvent, type ReactNode, useState } from 'react';

/** Takes an old chat that is dropped anywhere on the page. The migrator is loaded when that happens. */
export function DropZone({ children }: { readonly children: ReactNode }) {
  const chat = useChat();
  const [isOver, setOver] = useState(false);
  const [report, setReport] = useState<string>();
  const take = async (file: File): Promise<void> => {
    setReport(`Reading ${file.name}…`);
    const { planMigration } = await import('@chatdoc/migrate');
    const result = planMigration(new Uint8Array(await file.arrayBuffer()));
    if (!result.ok) {
      setReport(`${file.name} was not imported: ${result.message}`);
      return;
    }
    const { plan } = result;
    const imported = chat.importJSONL(plan.jsonl);
    const { rows, became, merged, set_aside } = plan.ledger;
    setReport(
      imported.ok
        ? `${file.name}: ${rows.length} rows, ${became} taken, ${merged} merged, ${set_aside} set aside, none lost.`
        : `${file.name} was not imported: ${imported.code}`,
    );
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file !== undefined) void take(file);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files can be dropped anywhere; the button does the same
    <div
      className={isOver ? 'page over' : 'page'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      {children}
      <footer>
        <label className="import">
          Import an old chat
          <input
            type="file"
            onChange={({ target }) => {
              const file = target.files?.[0];
              if (file !== undefined) void take(file);
              target.value = '';
            }}
          />
        </label>
        {report !== undefined && (
          <p role="status" className="hint">
            {report}
          </p>
        )}
      </footer>
    </div>
  );
}
