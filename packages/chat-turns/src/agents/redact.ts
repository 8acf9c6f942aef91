/** Names of environment variables whose values are nobody's to read. */
const SECRET_NAME = /key|token|secret|passw|credential|auth/i;
/** Keys of well-known makers, and values that follow a telling name. */
const SECRET_TEXTS: readonly RegExp[] = [
  /\b(?:sk|pk|rk)[-_][\w-]{4,}/g,
  /\b(?:gh[opsu]_|github_pat_|glpat-|xox[abeprs]-|hf_|ya29\.|AKIA|ASIA|AIza)[\w.-]{12,}/g,
  /\bBearer\s+[\w.~+/=-]{4,}/gi,
  /\bBasic\s+[\w+/]{12,}=*/g,
  /((?:api[-_ ]?key|token|secret|password|passwd|authorization)["']?\s*[=:]\s*["']?)[^\s"',;]{4,}/gi,
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g,
];
/** Shorter values would take ordinary words out of a text. */
const MIN_SECRET = 6;

/** Removes secrets from a text of an agent or a server: those that are known, and what looks like one. */
export function redactSecrets(
  text: string,
  secrets: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>> = {},
): string {
  const values = Object.values(secrets);
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value.length >= MIN_SECRET && SECRET_NAME.test(name)) values.push(value);
  }
  let redacted = text;
  for (const value of values) if (value !== '') redacted = redacted.split(value).join('…');
  for (const pattern of SECRET_TEXTS) {
    redacted = redacted.replace(
      pattern,
      (_match, name: unknown) => `${typeof name === 'string' ? name : ''}…`,
    );
  }
  return redacted;
}
