/** The function that was read last: fake timers replace it, and put it back. */
let source = process.hrtime
let offsetMs = 0
let latestMs = 0

/**
 * Returns the time of the process's monotonic clock in milliseconds: no clock jump moves it. Only another value of this
 * function compares with it, as `performance.now()` counts from another origin.
 *
 * It moves with the fake timers of a test, and runs on from where it was when they begin, are cleared or end. Theirs
 * counts from 0, and `process.hrtime()` from the start of the machine: a limiter that compared the two would wait for
 * days.
 *
 * The first use of `performance` makes Node load `perf_hooks`: 8 to 9 million instructions at the start of a process,
 * which neither mysql2 nor the AWS SDK takes (Node 20, 22 and 24).
 */
export function monotonicMs(): number {
  // `process.hrtime.bigint()` takes a third longer.
  const time = process.hrtime()
  let now = time[0] * 1_000 + time[1] / 1_000_000 + offsetMs
  if (process.hrtime !== source || now < latestMs) {
    offsetMs += latestMs - now
    now = latestMs
    source = process.hrtime
  }
  latestMs = now
  return now
}
