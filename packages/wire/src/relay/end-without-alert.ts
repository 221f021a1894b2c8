import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/**
 * Makes the end of `stream` the end of its TCP connection, without the TLS alert `close_notify`. A server looks every 5
 * seconds of a `SLEEP` or `GET_LOCK` whether its client is there, and takes an alert that it has not read for a sign
 * that it is: the statement would run on, and its transaction would keep its locks.
 *
 * @param socket - the TCP connection under `stream`
 * @see https://github.com/mysql/mysql-server/blob/8.0/vio/viosocket.cc (`vio_is_connected`)
 */
export function endWithoutAlert(stream: TLSSocket, socket: Socket): void {
  stream._final = (callback) => {
    socket.end(() => callback())
  }
}
