/** Returns the median of numbers. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Returns the first and the third quartile. */
function quartiles(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return [0.25, 0.75].map((part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))])
}

/** Returns `value` with so many digits that a reader can compare it, as a number. */
export function rounded(value, digits = 3) {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value
}

/** Returns median and quartiles. */
export function summary(values) {
  const [low, high] = quartiles(values)
  return { median: rounded(median(values), 4), low: rounded(low, 4), high: rounded(high, 4) }
}
