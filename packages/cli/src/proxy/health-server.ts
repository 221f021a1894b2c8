import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Address } from '@aurora-iam/core'
import { CommandError } from '../options/command-error.ts'
import type { ProxyMetrics } from './metrics.ts'
import type { RunningEndpoint } from './running-endpoint.ts'

/** HTTP server for `/live`, `/ready` and `/metrics`. */
export interface HealthServer {
  readonly address: Address
  close(): void
}

/** Options of {@link startHealthServer}. */
export interface HealthOptions {
  readonly address: Address
  readonly metrics: ProxyMetrics
  readonly running: () => Iterable<RunningEndpoint>
  /** True if the proxy drains: it is then live and not ready. */
  readonly isDraining: () => boolean
}

/**
 * Starts the health server.
 *
 * @throws {@link CommandError} for an address that cannot be listened on
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const { metrics } = options
  const routes: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
    '/live': async (response) => void response.end('live\n'),
    '/ready': async (response) => {
      const problems = options.isDraining() ? ['draining'] : await notReady(options.running())
      response.statusCode = problems.length === 0 ? 200 : 503
      response.end(problems.length === 0 ? 'ready\n' : `${problems.join('\n')}\n`)
    },
    '/metrics': async (response) => {
      response.setHeader('content-type', metrics.contentType).end(await metrics.text())
    },
  }
  const server = createServer((request, response) => {
    const route = routes[new URL(request.url ?? '/', 'http://proxy').pathname]
    if (route === undefined || request.method !== 'GET') {
      response.writeHead(404).end('not found: /live, /ready, /metrics\n')
      return
    }
    route(response).catch(() => response.writeHead(500).end())
  })
  const { host, port } = options.address
  try {
    await once(server.listen(port, host), 'listening')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new CommandError(
      `--health: ${host}:${port} cannot be listened on (${code}). Give another address.`,
      {
        cause,
      },
    )
  }
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function notReady(running: Iterable<RunningEndpoint>): Promise<string[]> {
  const problems = await Promise.all(
    [...running].map(async (endpoint) => {
      const problem = await endpoint.notReady()
      return problem === undefined ? [] : [`${endpoint.endpoint.name}: ${problem}`]
    }),
  )
  return problems.flat()
}
