import { type Environment, systemEnvironment } from '@chatdoc/schema';
import { formatUlid } from '@chatdoc/schema/internal';

const LAST = new Uint8Array(10).fill(0xff);

/** A stamp that is not below any that an honest clock has made until now: `chat.at` of it is the present. */
export function presentStamp(environment: Pick<Environment, 'now'> = systemEnvironment): string {
  return formatUlid(environment.now(), LAST);
}
