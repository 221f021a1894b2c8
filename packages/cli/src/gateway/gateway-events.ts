/** Events of a gateway. None holds a secret. */
export type GatewayEvent =
  | { readonly type: 'connect'; readonly client: string }
  | { readonly type: 'login'; readonly client: string; readonly durationMs: number }
  /** The client was rejected: its user or password was wrong, or it cannot be served. */
  | {
      readonly type: 'rejected'
      readonly client: string
      readonly reason: string
      readonly isAccessDenied: boolean
    }
  /** The database gave no session. */
  | { readonly type: 'failed'; readonly client: string; readonly reason: string }
  | { readonly type: 'close'; readonly client: string; readonly by: string; readonly durationMs: number }
