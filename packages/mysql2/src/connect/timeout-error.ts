/** Returns the error that mysql2 itself gives when a connection takes too long. */
export function timeoutError(): Error {
  return Object.assign(new Error('connect ETIMEDOUT'), {
    errorno: 'ETIMEDOUT',
    code: 'ETIMEDOUT',
    syscall: 'connect',
  })
}
