/** Request to an endpoint. Header names are in lower case. */
export interface EndpointRequest {
  readonly method: string
  readonly path: string
  readonly headers: NodeJS.Dict<string | string[]>
}

/** The answer to a request. */
export interface EndpointReply {
  readonly status: number
  readonly body: string
  readonly headers?: Record<string, string>
}

/** Answers requests at once. */
export type Endpoint = (request: EndpointRequest) => EndpointReply
