/**
 * Returns a copy of `options` without a prototype: what another package left on `Object.prototype` is no option. A
 * getter stays one: the password of a login may be read only after the server is verified.
 */
export function ownProperties<T extends object>(options: T): T {
  return Object.create(null, Object.getOwnPropertyDescriptors(options))
}
