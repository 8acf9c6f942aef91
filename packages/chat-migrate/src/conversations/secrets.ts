/** Well-known shapes of keys and tokens. */
const SECRETS = [
  /\bsk-[A-Za-z0-9_-]{16,}/,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/,
  /\bxox[a-z]-[A-Za-z0-9-]{10,}/,
  /\bAKIA[0-9A-Z]{12,}/,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}/,
] as const;
const HINT = /sk-|gh[pousr]_|xox|AKIA|PRIVATE KEY|eyJ/;

/** Whether a text may have a key or a token. */
export function hasSecret(text: string): boolean {
  return HINT.test(text) && SECRETS.some((shape) => shape.test(text));
}
