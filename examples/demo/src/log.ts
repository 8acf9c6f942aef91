/** Something that happened on a replica. */
export interface Happening {
  readonly kind: 'happening';
  readonly where: string;
  readonly text: string;
}

/** Something that the demo says is so, and whether it is. */
export interface Claim {
  readonly kind: 'claim';
  readonly text: string;
  readonly holds: boolean;
}

export interface Scene {
  readonly title: string;
  readonly lines: (Happening | Claim)[];
}

/** What happened and what was claimed, in scenes, for the report to print. */
export class Log {
  readonly scenes: Scene[] = [];

  begin(title: string): void {
    this.scenes.push({ title, lines: [] });
  }

  tell(where: string, text: string): void {
    this.scenes.at(-1)?.lines.push({ kind: 'happening', where, text });
  }

  claim(text: string, holds: boolean): void {
    this.scenes.at(-1)?.lines.push({ kind: 'claim', text, holds });
  }

  get claims(): readonly Claim[] {
    return this.scenes.flatMap(({ lines }) => lines).filter((line) => line.kind === 'claim');
  }
}
