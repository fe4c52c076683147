/** Something made on first use, and once for all callers. What could not be made is tried anew by the next one. */
export interface Lazy<T> {
  get(): Promise<T>;
  /** The next {@link Lazy.get} makes it anew. */
  forget(): void;
  /** What there is so far; makes nothing. */
  peek(): Promise<T> | undefined;
}

export function lazily<T>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | undefined;
  const forget = () => {
    made = undefined;
  };
  return {
    get() {
      made ??= make().catch((error: unknown) => {
        forget();
        throw error;
      });
      return made;
    },
    forget,
    peek: () => made,
  };
}
