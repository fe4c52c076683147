/** T without null: what a caller left out and what a caller set to null mean the same to the services. */
export type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** The fields of an input that were given, as a plain object. */
export function given<T extends object>(input: T | null | undefined): Given<T> {
  return Object.fromEntries(
    Object.entries(input ?? {}).filter(([, value]) => value !== null && value !== undefined),
  ) as Given<T>;
}
