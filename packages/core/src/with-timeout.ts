/**
 * `work`, or the rejection with `error()` after `timeoutMs`. The late outcome of `work` is dropped, not left
 * unhandled.
 */
export function withTimeout<T>(work: Promise<T>, timeoutMs: number, error: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(error()), timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
