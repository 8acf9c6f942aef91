/** A name that CoCalc's own migration gave to a message: of its date and sender. */
export const DERIVED_NAME: RegExp = /^legacy-message-(\d+)-/;

/** Whether the name of a message is that which CoCalc's own migration gave to a row of this date. */
export function isDerivedName(name: string, time: number | undefined): boolean {
  const digits = DERIVED_NAME.exec(name)?.[1];
  return digits !== undefined && Number(digits) === time;
}
