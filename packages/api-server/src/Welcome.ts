/**
 * What the server says when it is ready.
 *
 * @since 0.1.0
 */
import type { Settings } from "./Settings.ts"

const walkThrough = (url: string): ReadonlyArray<string> => [
  "",
  "Buy something: paste this into another terminal (it needs curl and node).",
  "",
  `  SHOP=${url}`,
  `  json() { node -p "JSON.parse(require('fs').readFileSync(0))$1"; }`,
  `  name() { node -p "crypto.randomUUID()"; }`,
  `  post() { curl -s -H 'content-type: application/json' -H "idempotency-key: $(name)" ` +
    `\${TOKEN:+-H "authorization: Bearer $TOKEN"} "$SHOP$1" -d "$2"; }`,
  `  get()  { curl -s \${TOKEN:+-H "authorization: Bearer $TOKEN"} "$SHOP$1"; }`,
  "",
  `  post /api/users '{"email":"minji@example.com","password":"correct-horse-7!","displayName":"민지","realName":"김민지",` +
    `"phone":"010-1234-5678","address":{"city":"서울특별시 마포구","detail":"월드컵로 1"}}'`,
  `  TOKEN=$(post /api/users/auth '{"email":"minji@example.com","password":"correct-horse-7!"}' | json .accessToken)`,
  `  ITEM=$(get '/api/items/search?sort=SALES&size=1' | json '.data[0].id')`,
  `  post /api/carts/normal/items "{\\"itemId\\":\\"$ITEM\\",\\"quantity\\":2}"`,
  `  ORDER=$(post /api/orders '{"cart":"normal"}' | json .id)`,
  `  PAGE=$(post /api/orders/$ORDER/payments '' | json .redirectUrls.pc)`,
  `  curl -sL -d method=MONEY "$PAGE/approve"     # what the customer's browser does at the provider, and back`,
  `  get /api/orders/$ORDER | json .state         # Paid`,
  ""
]

/** The lines to print. */
export const linesOf = (
  settings: Settings,
  facts: { readonly url: string; readonly simulatorUrl: string | null; readonly startMillis: number }
): ReadonlyArray<string> => [
  `Pillivery is ready at ${facts.url} (in ${Math.round(facts.startMillis)} ms)`,
  `  documentation  ${facts.url}/docs`,
  `  contract       ${facts.url}/openapi.json`,
  ...(settings.stores._tag === "Memory"
    ? ["  data           in memory: it is gone when the process ends"]
    : ["  data           MySQL and Redis"]),
  ...(settings.mail._tag === "File" ? [`  mail           written to ${settings.mail.path}`] : []),
  ...(facts.simulatorUrl === null
    ? ["  provider       KakaoPay"]
    : [`  provider       simulated at ${facts.simulatorUrl}: no real money can move`]),
  ...(settings.tokenSecret === null && settings.stores._tag === "External"
    ? ["  warning        PILLIVERY_JWT_SECRET is not set: log-ins end with this process and hold on no other"]
    : []),
  ...(settings.stores._tag === "Memory" && facts.simulatorUrl !== null ? walkThrough(facts.url) : [])
]
