/**
 * Returns every text that can be reached from `value`: through own properties of every kind, through the entries of
 * maps and sets, and the bytes of buffers as text. Each object is looked at once, so that large graphs cost little.
 */
export function reachableText(value: unknown): string {
  const texts: string[] = []
  const seen = new Set<unknown>()
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === 'string' || typeof next === 'symbol') texts.push(String(next))
    if (!isObject(next) || seen.has(next)) continue
    seen.add(next)
    if (ArrayBuffer.isView(next)) {
      texts.push(Buffer.from(next.buffer, next.byteOffset, next.byteLength).toString('latin1'))
      continue
    }
    if (next instanceof Map || next instanceof Set) waiting.push(...next.values(), ...next.keys())
    for (const key of Reflect.ownKeys(next)) {
      waiting.push(key, Object.getOwnPropertyDescriptor(next, key)?.value)
    }
  }
  return texts.join('\n')
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
