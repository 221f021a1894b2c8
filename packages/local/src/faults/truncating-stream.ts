import { Duplex } from 'node:stream'

/** Returns a stream over `below` that breaks once `bytes` bytes were written to it. `below` gets exactly that many. */
export function cutAfter(below: Duplex, bytes: number): Duplex {
  let left = bytes
  const stream = new Duplex({
    read: () => void below.resume(),
    write(chunk: Buffer, _encoding, done) {
      const part = chunk.subarray(0, left)
      left -= part.length
      below.write(part, () => {
        if (left > 0) return done()
        stream.destroy()
        done()
      })
    },
    final: (done) => void below.end(done),
    destroy(error, done) {
      below.destroy()
      done(error)
    },
  })
  below.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) below.pause()
  })
  below.on('end', () => stream.push(null))
  below.on('error', (error) => stream.destroy(error))
  below.on('close', () => stream.destroy())
  return stream
}
