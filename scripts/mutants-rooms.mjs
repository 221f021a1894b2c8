/**
 * The rooms whose sources are changed, by what a fault there costs: secrets first, then the limiter, then all else.
 * Beside each stand the tests that are nearest to it, which judge each mutant first. They start no database unless the
 * room cannot be judged without one.
 */
export const ROOMS = {
  'core/token': [
    'packages/core/test/{token,credentials,login}/*',
    'packages/core/test/{aurora-iam,token-provider,secrets}',
    'packages/core/test/{endpoint/configured-region,options}',
  ],
  'core/credentials': [
    'packages/core/test/{credentials,login}/*',
    'packages/core/test/{aurora-iam,secrets,sts-chain}',
  ],
  'core/tls': ['packages/core/test/tls/*', 'packages/core/test/options'],
  'core/login': [
    'packages/core/test/{login,util}/*',
    'packages/core/test/{aurora-iam,options}',
    'packages/core/test/lifetime/{lifetimes,resume-gate}',
    'packages/core/test/tls/tls-policy',
  ],
  'core/permit': [
    'packages/core/test/permit/{admission,attempt-permit,endpoint-limiters,lane,permit-waits,suspect-addresses}',
    'packages/core/test/login/{login-attempt,login-reports,try-login}',
    'packages/core/test/{aurora-iam,options}',
  ],
  'core/src': [
    'packages/core/test/{diagnostics,errors,misplaced-option,options,secrets,target-refusals}',
    'packages/core/test/login/{login-attempt,login-reports}',
  ],
  'rate-limit/src': [
    'packages/rate-limit/test/{clock,describe,error-catalogue,errors,events,options,presets}',
    'packages/rate-limit/test/{rate-limiter,shared-rate-limiter}',
    'packages/rate-limit/test/{local/*,queue/*,fleet/{bad-store,store-reply,store-sync},tickets/ticket-permits}',
  ],
  'rate-limit/queue': [
    'packages/rate-limit/test/queue/*',
    'packages/rate-limit/test/{events,rate-limiter,shared-rate-limiter,fleet/bad-store,tickets/ticket-permits}',
  ],
  'rate-limit/local': [
    'packages/rate-limit/test/local/*',
    'packages/rate-limit/test/{events,rate-limiter,shared-rate-limiter}',
  ],
  'rate-limit/fleet': [
    'packages/rate-limit/test/fleet/{clock-step-detector,leases,outage,planned-call,promised-share,queue-standing}',
    'packages/rate-limit/test/fleet/{bad-store,degraded,inspect-fleet,redis-client,retries,store-reply,store-sync,virtual}',
    'packages/rate-limit/test/options',
  ],
  'rate-limit/tickets': [
    'packages/rate-limit/test/tickets/{ticket-permits,dynamo-store}',
    'packages/rate-limit/test/options',
  ],
  'mysql2/auth': [
    'packages/mysql2/test/*',
    'test/mysql2/{change-user-answers,login-endings,not-asked,pool-views,require-writer-answers}',
  ],
  'mysql2/connect': ['packages/mysql2/test/*', 'test/mysql2/{dial,login-endings,not-asked,pool-views}'],
  'mysql2/options': ['packages/mysql2/test/*'],
  'mysql2/src': [
    'packages/mysql2/test/*',
    'test/mysql2/{dial,login-endings,not-asked,pool-views,require-writer-answers}',
  ],
  'mysql2/pool': ['packages/mysql2/test/*', 'test/mysql2/pool-views'],
  // A packet that is read wrongly leaves both ends of a login waiting: the tests of the packets themselves are faster.
  'wire/codec': ['packages/wire/test/{codec,packets}/*'],
  'wire/packets': ['packages/wire/test/packets/*'],
  'wire/client': ['packages/wire/test/client/*'],
  'wire/relay': ['packages/wire/test/relay/*'],
  'wire/src': ['packages/wire/test/packets/*', 'packages/wire/test/own-options'],
  'local/iam': ['packages/local/test/iam/*', 'packages/local/test/refused-tokens'],
  'core/endpoint': ['packages/core/test/endpoint/*', 'packages/core/test/{target-refusals,options}'],
  'core/lifetime': ['packages/core/test/lifetime/*'],
  'core/util': ['packages/core/test/{util,credentials}/*', 'packages/core/test/{aurora-iam,options,secrets}'],
  'prisma/options': ['packages/prisma/test/options/*'],
  'prisma/connect': ['packages/prisma/test/{connect,pool}/*', 'test/prisma/{open-connection,redirect}'],
  'prisma/src': ['packages/prisma/test/*', 'packages/prisma/test/options/*', 'test/prisma/open-connection'],
  'prisma/pool': ['packages/prisma/test/pool/*'],
}

/** Files that are not changed, as a change of one sends its signal to the run itself. */
export const LEFT_OUT = ['core/util/end-process']
