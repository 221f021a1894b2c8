/**
 * Returns a copy of `options` with their own properties alone, and without a prototype: reading it never meets a
 * property that another package left on `Object.prototype`.
 *
 * Anything but an object of options is returned unchanged, for the check that refuses it.
 */
export function ownProperties<T>(options: T): T {
  if (typeof options !== 'object' || options === null) return options
  if (Array.isArray(options) || options instanceof Promise) return options
  return Object.assign(Object.create(null), options)
}
