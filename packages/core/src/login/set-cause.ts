/** Sets the `cause` of an error of the server that has none. Everything else of the error is left unchanged. */
export function setCause(error: Error, value: Error): void {
  if (error.cause !== undefined) return
  Object.defineProperty(error, 'cause', { value, configurable: true, writable: true })
}
