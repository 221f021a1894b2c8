import type { GatewayEvent } from '../gateway/gateway-events.ts'
import type { CliOutput } from '../output/output.ts'
import { visible } from '../output/visible.ts'
import type { RunningEndpoint } from './running-endpoint.ts'

/** Log of a proxy: lines for people on standard error, or JSON lines on standard output. */
export class ProxyLog {
  readonly #output: CliOutput
  readonly #isJson: boolean

  constructor(output: CliOutput, isJson: boolean) {
    this.#output = output
    this.#isJson = isJson
  }

  /** Reports an endpoint that listens. A one-time password is printed here, and nowhere else. */
  started({ endpoint, gateway }: RunningEndpoint): void {
    const [address] = gateway.addresses
    const where =
      address === undefined || 'socket' in address ? address?.socket : `${address.host}:${address.port}`
    const { name, target, password, hasOneTimePassword } = endpoint
    const { host, user } = target
    const secret = hasOneTimePassword ? { password } : {}
    if (this.#isJson) {
      this.#json({ type: 'listening', endpoint: name, address: where, host, user, ...secret })
      return
    }
    this.#output.out(`listening on ${where} for ${visible(user)} at ${visible(host)}\n`)
    if (hasOneTimePassword) this.#output.out(`password ${password}\n`)
  }

  /** Reports an event of an endpoint. */
  event(endpoint: string, event: GatewayEvent): void {
    if (this.#isJson) {
      this.#json({ ...event, endpoint })
      return
    }
    this.#line(`${endpoint} ${event.type} ${event.client}${detailsOf(event)}`)
  }

  /** Reports a step of the proxy itself. */
  message(text: string): void {
    if (this.#isJson) this.#json({ type: 'message', text })
    else this.#line(text)
  }

  /** Reports an error of the proxy that does not end it. */
  problem(text: string): void {
    if (this.#isJson) this.#json({ type: 'problem', text })
    else this.#line(`aurora-iam: ${text}`)
  }

  #line(text: string): void {
    this.#output.error(`${new Date().toISOString()} ${visible(text)}\n`)
  }

  #json(entry: object): void {
    this.#output.out(`${JSON.stringify({ at: new Date(), ...entry })}\n`)
  }
}

function detailsOf(event: GatewayEvent): string {
  switch (event.type) {
    case 'connect':
      return ''
    case 'login':
      return ` in ${Math.round(event.durationMs)} ms`
    case 'rejected':
    case 'failed':
      return `: ${event.reason}`
    case 'close':
      return ` by ${event.by} after ${Math.round(event.durationMs)} ms`
  }
}
