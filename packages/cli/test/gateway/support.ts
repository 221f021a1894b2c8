import { adapterIam } from '@aurora-iam/core/adapter'
import type { LocalAurora } from '@aurora-iam/local'
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2/promise'
import { onTestFinished } from 'vitest'
import { type Gateway, type GatewayOptions, startGateway } from '../../src/gateway/gateway.ts'
import type { GatewayEvent } from '../../src/gateway/gateway-events.ts'

export const PASSWORD = 'one-time password'

/** Starts a gateway to `aurora` for one test, and what happened at it. */
export async function gatewayTo(
  aurora: LocalAurora,
  options: Partial<GatewayOptions> = {},
  iamOptions: Parameters<typeof adapterIam>[0] = {},
) {
  const { host, port } = aurora
  const iam = adapterIam({ ...aurora.iam, rateLimit: false, ...iamOptions })
  const events: GatewayEvent[] = []
  const gateway = await startGateway({
    iam,
    target: iam.resolve({ host, port, user: 'app' }),
    account: { user: 'app', password: PASSWORD },
    listen: [{ host: '127.0.0.1', port: 0 }],
    onEvent: (event) => events.push(event),
    ...options,
  })
  onTestFinished(async () => {
    await gateway.close()
    iam.close()
  })
  return { gateway, events, iam, port: portOf(gateway) }
}

export function portOf({ addresses: [address] }: Gateway): number {
  if (address === undefined || !('port' in address)) throw new Error('the gateway listens on no port')
  return address.port
}

/** Logs in as a client does. */
export async function connect(port: number, options: ConnectionOptions = {}): Promise<Connection> {
  const right = { host: '127.0.0.1', port, user: 'app', password: PASSWORD, database: 'app' }
  const connection = await createConnection({ ...right, ...options })
  onTestFinished(() => connection.destroy())
  return connection
}

/** Returns the error that a login ends with. */
export async function refusal(
  port: number,
  options?: ConnectionOptions,
): Promise<Error & { errno?: number }> {
  const connection = await connect(port, options).catch((error: Error) => error)
  if (connection instanceof Error) return connection
  throw new Error('the login succeeded')
}
