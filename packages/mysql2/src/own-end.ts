import type { Socket } from 'node:net'
import type { LoginAttempt } from '@aurora-iam/core'

/**
 * Settles `login` when this side ends the stream before the server does, as mysql2's `destroy()` does: that says nothing
 * about the server. mysql2 would wait for the server to close its side too.
 */
export function releaseOnLocalClose(login: LoginAttempt, stream: Socket): void {
  const settle = () => {
    // Node ends this side by itself once the server has ended the other.
    if (stream.readableEnded) return
    login.abandon()
    stream.destroy()
  }
  stream.once('finish', settle)
  login.onEnd(() => stream.off('finish', settle))
}
