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

/** Longer than an EOF packet is a row that begins with a long value. */
const MAX_EOF_BYTES = 8

/** A result of the doctor's own queries has a few lines. */
const MAX_ROWS = 1_000

/**
 * Sends one query over an open session and returns the rows as text. For the few facts that the doctor asks for.
 *
 * @throws WireError with the server's own error, or for a packet that belongs to no such result
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html
 */
export async function query({ channel, capabilities }: Session, sql: string): Promise<(string | null)[][]> {
  if (hasCapability(capabilities, Capability.DEPRECATE_EOF)) throw malformed()
  channel.sequence = 0
  channel.write(Buffer.concat([Buffer.from([QUERY_COMMAND]), Buffer.from(sql)]))
  const first = (await channel.read()).payload
  throwIfError(first)
  const columns = first[0] ?? 0
  await readUntilEof(channel)
  const rows = await readUntilEof(channel)
  return rows.map((payload) => readRow(payload, columns))
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

/** Reads a length-encoded integer; longer ones than of two bytes are in no answer to the doctor. */
function readLength(payload: Buffer, offset: number): { length: number; bytes: number } {
  const first = payload[offset] ?? 0xff
  if (first < NULL_MARKER) return { length: first, bytes: 1 }
  if (first === 0xfc && offset + 3 <= payload.length)
    return { length: payload.readUInt16LE(offset + 1), bytes: 3 }
  throw malformed()
}

function malformed(): WireError {
  return new WireError('ERR_WIRE_MALFORMED', 'the answer to a query is none that the doctor reads')
}
