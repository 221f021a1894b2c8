/** Type, version and, in its last two bytes, the payload's length: https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const HEADER_BYTES = 5
const LENGTH_BYTES = 2

/** Splitter of the bytes of one side of a TLS connection, at the ends of their records. */
export class TlsRecordSplitter {
  #headerBytes = 0
  #bytesLeft = 0

  /** Returns the bytes of `chunk` in pieces, each of which belongs to one record. */
  split(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = []
    let start = 0
    let position = 0
    while (position < chunk.length) {
      if (this.#headerBytes < HEADER_BYTES) {
        const isLength = this.#headerBytes >= HEADER_BYTES - LENGTH_BYTES
        if (isLength) this.#bytesLeft = this.#bytesLeft * 256 + (chunk[position] as number)
        this.#headerBytes++
        position++
      } else {
        const bytes = Math.min(this.#bytesLeft, chunk.length - position)
        this.#bytesLeft -= bytes
        position += bytes
      }
      if (this.#headerBytes === HEADER_BYTES && this.#bytesLeft === 0) {
        pieces.push(chunk.subarray(start, position))
        start = position
        this.#headerBytes = 0
      }
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
    return pieces
  }
}
