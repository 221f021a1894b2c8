/**
 * Awaits `work`, and keeps the process alive until then. The sockets, servers and processes of a Local Aurora do not: a
 * program that only waits for it would end with status 13.
 */
export async function keepAliveDuring<Result>(work: Promise<Result>): Promise<Result> {
  const timer = setInterval(() => {}, 60_000)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
