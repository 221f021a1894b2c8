/**
 * What one of several processes may do by itself so that together they stay within the limit. Where there are more processes
 * than places, each has one place in an interval that is longer in proportion: right on average, though any number of them may
 * come at once.
 */
export function shareOf(
  { limit, intervalMs }: { limit: number; intervalMs: number },
  processes: number,
): { limit: number; intervalMs: number } {
  if (limit >= processes) return { limit: Math.floor(limit / processes), intervalMs }
  return { limit: 1, intervalMs: (intervalMs * processes) / limit }
}
