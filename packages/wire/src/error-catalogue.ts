/** The closed list of codes of `WireError`. `docs/errors.md` and the README are tested against it. */
export const wireErrors = {
  ERR_WIRE_MALFORMED: {
    retryable: false,
    meaning: 'the bytes are not the packet that belongs here',
    remedy: 'destroy the connection',
  },
  ERR_WIRE_TOO_LARGE: {
    retryable: false,
    meaning: 'a packet announces more bytes than the caller allows',
    remedy: 'destroy the connection, or raise the limit',
  },
  ERR_WIRE_SEQUENCE: {
    retryable: false,
    meaning: 'a packet carries the wrong sequence number',
    remedy: 'destroy the connection',
  },
  ERR_WIRE_CLOSED: {
    retryable: true,
    meaning: 'the stream ended before the packet was complete',
    remedy: 'connect again',
  },
  ERR_WIRE_UNSUPPORTED: {
    retryable: false,
    meaning: 'the other end asks for something that the package does not do, or was told not to do',
    remedy: 'change what the other end asks for',
  },
  ERR_WIRE_SERVER: {
    retryable: false,
    meaning: 'the server answered with an ERR packet',
    remedy: 'see `errno`, `sqlState` and `message`, which are its own',
  },
} as const
