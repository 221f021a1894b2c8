export type { Answering, AuthPlugin, AuthState } from './client/authenticate.ts'
export {
  changeUser,
  type Identity,
  type LoginOptions,
  login,
  readGreeting,
  type Session,
} from './client/login.ts'
export {
  encryptPassword,
  scrambleCachingSha2,
  scrambleNativePassword,
} from './client/scramble.ts'
export { Capability, hasCapability, withCapability } from './codec/capabilities.ts'
export type { ConnectAttributes } from './codec/connect-attributes.ts'
export { encodePacket, HEADER_BYTES, MAX_PAYLOAD_BYTES, type Packet, PacketReader } from './codec/packet.ts'
export { PacketChannel, type PacketChannelOptions } from './codec/packet-channel.ts'
export {
  AUTH_MORE_DATA_MARKER,
  AUTH_SWITCH_MARKER,
  type AuthSwitchRequest,
  decodeAuthMoreData,
  decodeAuthSwitchRequest,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
} from './packets/auth-switch.ts'
export {
  CHANGE_USER_COMMAND,
  type ChangeUser,
  decodeChangeUser,
  encodeChangeUser,
} from './packets/change-user.ts'
export {
  decodeGreeting,
  encodeGreeting,
  type Greeting,
  SCRAMBLE_BYTES,
} from './packets/greeting.ts'
export {
  decodeHandshakeResponse,
  decodeSslRequest,
  encodeHandshakeResponse,
  encodeSslRequest,
  type HandshakeResponse,
  isSslRequest,
  type SslRequest,
} from './packets/handshake-response.ts'
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
} from './packets/ok-err.ts'
export { CommandScanner, type Rewriting, type Scanned } from './relay/command-scanner.ts'
export { endWithoutAlert } from './relay/end-without-alert.ts'
export { endGracefully, type Interception, type RelayEnd, relay } from './relay/relay.ts'
export { WireError, type WireErrorCode, type WireErrorDetails } from './wire-error.ts'
