import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

/** Connection attributes, such as `_client_name`. Only names and values that are text survive. */
export type ConnectAttributes = ReadonlyMap<string, string>

export function writeAttributes(writer: ByteWriter, attributes: ConnectAttributes): void {
  const pairs = new ByteWriter()
  for (const text of [...attributes].flat()) pairs.lengthEncodedBytes(Buffer.from(text))
  writer.lengthEncodedBytes(pairs.toBuffer())
}

export function readAttributes(reader: ByteReader): ConnectAttributes {
  const pairs = new ByteReader(reader.lengthEncodedBytes())
  const attributes = new Map<string, string>()
  while (pairs.remaining > 0) {
    const name = pairs.lengthEncodedBytes().toString()
    attributes.set(name, pairs.lengthEncodedBytes().toString())
  }
  return attributes
}
