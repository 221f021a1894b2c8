import type { Address } from '@aurora-iam/core'

/** Returns the error that mysql2 itself gives when a connection takes too long. */
export function timeoutError(): Error {
  return withTimeoutCode(new Error('connect ETIMEDOUT'))
}

/** Returns the error of a TCP connection that takes too long, with its address. */
export function tcpTimeoutError({ host, port }: Address, tcpTimeoutMs: number): Error {
  const message = `connect ETIMEDOUT ${host}:${port}: no TCP connection within ${tcpTimeoutMs} ms (\`tcpTimeoutMs\`)`
  return withTimeoutCode(Object.assign(new Error(message), { address: host, port }))
}

function withTimeoutCode(error: Error): Error {
  return Object.assign(error, { errorno: 'ETIMEDOUT', code: 'ETIMEDOUT', syscall: 'connect' })
}
