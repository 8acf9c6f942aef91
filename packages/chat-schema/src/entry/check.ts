import type * as z from 'zod/mini';

/** Whether a value fits. Never throws on JSON. */
export type Check = (value: unknown) => boolean;

type Def = z.core.$ZodTypeDef & Record<string, unknown>;

/**
 * Compiles a schema to one function that accepts only what the schema accepts, and allocates nothing. It may
 * refuse more than the schema does: who gets `false` asks the schema, which also says why. Covers what `field.ts` uses.
 */
export function compileCheck(schema: z.core.$ZodType): Check {
  const def = schema._zod.def as Def;
  const checks = (def.checks ?? []).map(compileTest);
  const base = compileBase(def);
  const [first, second] = checks;
  if (first === undefined) return base;
  if (second === undefined) return (value) => base(value) && first(value);
  return (value) => base(value) && checks.every((check) => check(value));
}

function compileBase(def: Def): Check {
  switch (def.type) {
    case 'string':
      return (value) => typeof value === 'string';
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'number':
      return def['format'] === 'safeint' ? Number.isSafeInteger : Number.isFinite;
    case 'literal': {
      const [only] = def['values'] as readonly unknown[];
      return (value) => value === only;
    }
    case 'enum': {
      const values = new Set<unknown>(Object.values(def['entries'] as object));
      return (value) => values.has(value);
    }
    case 'optional': {
      const inner = compileCheck(def['innerType'] as z.core.$ZodType);
      return (value) => value === undefined || inner(value);
    }
    case 'nullable': {
      const inner = compileCheck(def['innerType'] as z.core.$ZodType);
      return (value) => value === null || inner(value);
    }
    case 'array':
      return compileArray(compileCheck(def['element'] as z.core.$ZodType));
    case 'record':
      return isJsonObject;
    case 'lazy':
      return isJson;
    case 'object':
      return compileObject(def['shape'] as Readonly<Record<string, z.core.$ZodType>>);
    default:
      throw new Error(`no check is compiled for the schema type ${def.type}`);
  }
}

function compileTest(check: z.core.$ZodCheck): Check {
  const def = check._zod.def as z.core.$ZodCheckDef & Record<string, unknown>;
  switch (def.check) {
    case 'max_length': {
      const maximum = def['maximum'] as number;
      return (value) => (value as string | readonly unknown[]).length <= maximum;
    }
    case 'string_format': {
      const pattern = def['pattern'] as RegExp;
      return (value) => pattern.test(value as string);
    }
    case 'greater_than': {
      const least = def['value'] as number;
      return (value) => (value as number) >= least;
    }
    case 'less_than': {
      const most = def['value'] as number;
      return (value) => (value as number) <= most;
    }
    case 'custom':
      return def['fn'] as Check;
    default:
      throw new Error(`no test is compiled for the check ${def.check}`);
  }
}

function compileArray(element: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (let i = 0; i < value.length; i += 1) if (!element(value[i])) return false;
    return true;
  };
}

function compileObject(shape: Readonly<Record<string, z.core.$ZodType>>): Check {
  const keys = Object.keys(shape);
  const checks = keys.map((key) => compileCheck(shape[key] as z.core.$ZodType));
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    for (let i = 0; i < keys.length; i += 1) {
      if (!(checks[i] as Check)((value as Record<string, unknown>)[keys[i] as string])) return false;
    }
    return true;
  };
}

// Depth is bounded by the limits of a line, which are looked at before.
function isJson(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (!Array.isArray(value)) return isJsonObject(value);
      for (let i = 0; i < value.length; i += 1) if (!isJson(value[i])) return false;
      return true;
    default:
      return false;
  }
}

function isJsonObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key of Object.keys(value)) if (!isJson((value as Record<string, unknown>)[key])) return false;
  return true;
}
