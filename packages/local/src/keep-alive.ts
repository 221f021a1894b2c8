/**
 * Waits for `work` and keeps the process alive meanwhile. The sockets, servers and processes of a Local Aurora do not
 * keep it alive, so a program that only waits for one would exit with status 13.
 */
export async function keepAliveDuring<Result>(work: Promise<Result>): Promise<Result> {
  const timer = setInterval(() => {}, 60_000)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
