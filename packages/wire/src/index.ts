export type { ConnectAttributes } from './attributes.ts'
export {
  AUTH_MORE_DATA_MARKER,
  AUTH_SWITCH_MARKER,
  type AuthSwitchRequest,
  decodeAuthMoreData,
  decodeAuthSwitchRequest,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
} from './auth-packets.ts'
export type { AuthPlugin, AuthState } from './authenticate.ts'
export { Capability, hasCapability, withCapability } from './capabilities.ts'
export { CHANGE_USER_COMMAND, type ChangeUser, decodeChangeUser, encodeChangeUser } from './change-user.ts'
export { CommandScanner, type Scanned } from './command-scanner.ts'
export { decodeGreeting, encodeGreeting, type Greeting, readGreeting } from './greeting.ts'
export {
  decodeHandshakeResponse,
  decodeSslRequest,
  encodeHandshakeResponse,
  encodeSslRequest,
  type HandshakeResponse,
  isSslRequest,
  type SslRequest,
} from './handshake-response.ts'
export { changeUser, type Identity, type LoginOptions, login, type Session } from './login.ts'
export { encodePacket, HEADER_BYTES, MAX_PAYLOAD_BYTES, type Packet, PacketReader } from './packet.ts'
export { PacketChannel, type PacketChannelOptions } from './packet-channel.ts'
export { endGracefully, type Interception, type RelayEnd, relay } from './relay.ts'
export {
  decodeErr,
  decodeOk,
  ERR_MARKER,
  type ErrPacket,
  encodeErr,
  encodeOk,
  OK_MARKER,
  type OkPacket,
  throwIfError,
} from './results.ts'
export { encryptPassword, SCRAMBLE_BYTES, scrambleCachingSha2, scrambleNativePassword } from './scramble.ts'
export { WireError, type WireErrorCode, type WireErrorDetails } from './wire-error.ts'
