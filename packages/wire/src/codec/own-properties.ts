/** Returns a copy of `options` without a prototype: what another package left on `Object.prototype` is no option. */
export function ownProperties<T extends object>(options: T): T {
  return Object.assign(Object.create(null), options)
}
