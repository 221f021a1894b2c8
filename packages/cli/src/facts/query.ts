import {
  Capability,
  hasCapability,
  type PacketChannel,
  type Session,
  throwIfError,
  WireError,
} from '@aurora-iam/wire'

const QUERY_COMMAND = 0x03
const EOF_MARKER = 0xfe
const NULL_MARKER = 0xfb

/** A longer packet with the same first byte is a row that begins with a long value. */
const MAX_EOF_BYTES = 8

/** Most rows of a result: those of the doctor's queries have a few. */
const MAX_ROWS = 1_000

/**
 * Sends one query over an open session and returns the rows as text. It reads short results alone, as the doctor's
 * queries have.
 *
 * @throws WireError with the error of the server, or for a packet that does not belong to such a result
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html
 */
export async function query({ channel, capabilities }: Session, sql: string): Promise<(string | null)[][]> {
  if (hasCapability(capabilities, Capability.DEPRECATE_EOF)) throw malformed()
  channel.sequence = 0
  channel.write(Buffer.concat([Buffer.from([QUERY_COMMAND]), Buffer.from(sql)]))
  const first = (await channel.read()).payload
  throwIfError(first)
  const columns = first[0] ?? 0
  // OK without a result set, or a count that is longer than a byte.
  if (columns === 0 || columns >= NULL_MARKER) throw malformed()
  await readUntilEof(channel)
  const rows = await readUntilEof(channel)
  return rows.map((payload) => readRow(payload, columns))
}

/**
 * Sends one query over an open session and returns the number in the last column of the first row.
 *
 * @throws WireError as {@link query} does, and for a result without a number there
 */
export async function queryNumber(session: Session, sql: string): Promise<number> {
  const text = (await query(session, sql))[0]?.at(-1) ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  throw new WireError('ERR_WIRE_MALFORMED', `the answer to ${sql} is not a number`)
}

async function readUntilEof(channel: PacketChannel): Promise<Buffer[]> {
  const packets: Buffer[] = []
  while (packets.length < MAX_ROWS) {
    const { payload } = await channel.read()
    throwIfError(payload)
    if (payload[0] === EOF_MARKER && payload.length <= MAX_EOF_BYTES) return packets
    packets.push(payload)
  }
  throw malformed()
}

function readRow(payload: Buffer, columns: number): (string | null)[] {
  let offset = 0
  return Array.from({ length: columns }, () => {
    const first = payload[offset]
    if (first === NULL_MARKER) {
      offset += 1
      return null
    }
    const { length, bytes } = readLength(payload, offset)
    const start = offset + bytes
    if (start + length > payload.length) throw malformed()
    offset = start + length
    return payload.toString('utf8', start, offset)
  })
}

/** Reads a length-encoded integer of up to two bytes. Results of the doctor's queries have no longer ones. */
function readLength(payload: Buffer, offset: number): { length: number; bytes: number } {
  const first = payload[offset] ?? 0xff
  if (first < NULL_MARKER) return { length: first, bytes: 1 }
  if (first === 0xfc && offset + 3 <= payload.length)
    return { length: payload.readUInt16LE(offset + 1), bytes: 3 }
  throw malformed()
}

function malformed(): WireError {
  return new WireError('ERR_WIRE_MALFORMED', 'the result of a query has a form that is not read here')
}
