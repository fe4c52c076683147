/** setTimeout counts in 31 bits: a token that lives longer than 24 days is looked at again then. */
const MAX_TIMER_MS = 2_147_483_647;

/** Calls back when a token ends, at once when it has. Answers what gives that up. */
export function atExpiry(expiresAt: Date, call: () => void): () => void {
  let timer: NodeJS.Timeout;
  const watch = (): void => {
    const left = expiresAt.getTime() - Date.now();
    timer = setTimeout(left > MAX_TIMER_MS ? watch : call, Math.min(Math.max(0, left), MAX_TIMER_MS));
  };
  watch();
  return () => clearTimeout(timer);
}
