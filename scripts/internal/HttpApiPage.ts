/**
 * The reference of the HTTP API: for each endpoint and each of its statuses a request that a test sent, and its answer.
 *
 * What differs from run to run, ids, times and tokens, is put in one form.
 *
 * @since 0.1.0
 */
import { Api } from "@pillivery/adapters-http/api/Api"
import { Administration, Authentication } from "@pillivery/adapters-http/api/Middleware"
import { Context } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import type { Recorded } from "../../packages/adapters-http/test/Recorder.ts"

/** An endpoint and the statuses that it says of itself; what any endpoint may answer is told once for all. */
export interface Endpoint {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly who: string
  readonly statuses: ReadonlyArray<number>
}

/** The statuses that any endpoint may answer. */
export const commonStatuses: ReadonlyArray<number> = [400, 429, 500, 503]

/** The sandbox is told of in the server's own tests: it is there in embedded mode only. */
const leftOut: ReadonlySet<string> = new Set(["sandbox"])

/** Every endpoint of the contract, in its order. */
export const endpoints: ReadonlyArray<Endpoint> = (() => {
  const found: Array<Endpoint> = []
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint, errors, group, mergedAnnotations, middleware, successes }) => {
      if (leftOut.has(group.identifier)) return
      const keys = new Set([...middleware].map(({ key }) => key))
      const isGuarded = keys.has(Authentication.key)
      const common = new Set([
        ...commonStatuses,
        ...(isGuarded ? [401] : []),
        ...(keys.has(Administration.key) ? [403] : [])
      ])
      found.push({
        id: `${group.identifier}.${endpoint.identifier}`,
        method: endpoint.method,
        path: endpoint.path,
        summary: Context.getOrUndefined(mergedAnnotations, OpenApi.Summary) ?? "",
        who: keys.has(Administration.key) ? "ADMIN" : isGuarded ? "a user who is logged in" : "anybody",
        statuses: [...successes.keys(), ...[...errors.keys()].filter((status) => !common.has(status))].toSorted(
          (one, two) => one - two
        )
      })
    }
  })
  return found
})()

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
const patternOf = (path: string): RegExp => new RegExp(`^${escaped(path).replaceAll(/:[A-Za-z]+/g, "[^/]+")}$`)

const patterns = endpoints.map((endpoint) => ({ endpoint, pattern: patternOf(endpoint.path) }))

/** The endpoint that a request is for; a fixed address goes before one with a name in it. */
const endpointOf = ({ method, path }: Recorded): Endpoint | undefined => {
  const address = path.split("?")[0] ?? ""
  return patterns
    .filter(({ endpoint, pattern }) => endpoint.method === method && pattern.test(address))
    .toSorted((one, two) => one.endpoint.path.split(":").length - two.endpoint.path.split(":").length)[0]?.endpoint
}

const anyInstant = "2026-11-22T01:23:45.000Z"
const anyDate = "2026-12-22"

/** Ids, times and tokens in one form, each id by the order in which it comes. */
const settled = (text: string): string => {
  const ids: Array<string> = []
  const idOf = (id: string) => {
    if (!ids.includes(id)) ids.push(id)
    return `01890a5d-ac96-774b-bcce-b3020000${String(ids.indexOf(id) + 1).padStart(4, "0")}`
  }
  return text
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, idOf)
    .replaceAll(/\b\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, anyInstant)
    .replaceAll(/\b20\d{2}-\d{2}-\d{2}\b(?!T)/g, anyDate)
    .replaceAll(/\beyJ[\w-]+(\.[\w-]*){2,4}/g, "eyJhbGciOi…")
    .replaceAll(/\b[\w-]{22}\.[\w-]{22}\.[\w-]{43}\b/g, "ZhF3…")
    .replaceAll(/pillivery-visit=[^;\s]+/g, "pillivery-visit=eyJhbGciOi…")
    .replaceAll(/(state|code_challenge)=[\w-]{20,}/g, "$1=…")
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, "https://accounts.example.com")
}

const shownRequestHeaders = ["authorization", "content-type", "idempotency-key", "cookie"]
const shownResponseHeaders = [
  "allow",
  "content-type",
  "location",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "set-cookie",
  "www-authenticate"
]

const shown = (headers: Readonly<Record<string, string>>, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]))

const pretty = (body: string): string => {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

const linesMax = 40
const shortened = (text: string): string => {
  const lines = text.split("\n")
  return lines.length <= linesMax ? text : [...lines.slice(0, linesMax), "…"].join("\n")
}

const exampleOf = ({ method, path, request, response }: Recorded): string =>
  settled(
    [
      `${method} ${path}`,
      ...shown(request.headers, shownRequestHeaders),
      ...(request.body === null ? [] : ["", pretty(request.body)]),
      "",
      `HTTP/1.1 ${response.status}`,
      ...shown(response.headers, shownResponseHeaders),
      ...(response.body === "" ? [] : ["", shortened(pretty(response.body))])
    ].join("\n")
  )

// The shortest of them, and of equals the first in the alphabet, so that the same tests make the same page.
const chosen = (examples: ReadonlyArray<string>): string | undefined =>
  examples.toSorted((one, two) => one.length - two.length || (one < two ? -1 : 1))[0]

/** Whether a request is one that a client might send; hostile ones show nobody anything. */
const isOrdinary = ({ path, request }: Recorded): boolean =>
  !/%(?!3A|2F)/.test(path) && !/[^\p{L}\p{N}\p{P}\p{S}\s]/u.test(`${path}${request.body ?? ""}`)

/** The page, and what it lacks. */
export const pageOf = (
  recorded: ReadonlyArray<Recorded>
): { readonly page: string; readonly missing: ReadonlyArray<string> } => {
  const examples = new Map<string, Array<string>>()
  for (const each of recorded) {
    const endpoint = endpointOf(each)
    if (endpoint === undefined || !isOrdinary(each)) continue
    const example = exampleOf(each)
    const isOwn = endpoint.statuses.includes(each.response.status)
    const key = isOwn ? `${endpoint.id} ${each.response.status}` : `* ${each.response.status}`
    examples.set(key, [...(examples.get(key) ?? []), example])
  }
  const missing: Array<string> = []
  const section = (key: string, status: number): ReadonlyArray<string> => {
    const example = chosen(examples.get(key) ?? [])
    if (example === undefined) missing.push(key)
    return [`#### ${status}`, "", "```http", example ?? "", "```", ""]
  }
  const lines = [
    "# HTTP API",
    "",
    "Every request and answer here was recorded while the tests ran; ids, times and tokens are put in one form. The contract itself is",
    "[openapi.json](openapi.json), and the same as a page at `/docs` of every server. Made by `npm run http-examples`.",
    "",
    "## What any endpoint may answer",
    "",
    "Refusals are RFC 9457 problems. `code` is what programs look at, `text` what people read; `requestId` finds the request in the logs.",
    "",
    ...[400, 401, 403, 429, 500, 503].flatMap((status) => section(`* ${status}`, status)),
    ...endpoints.flatMap(({ id, method, path, statuses, summary, who }) => [
      `## ${method} ${path}`,
      "",
      `${summary}. For ${who}.`,
      "",
      ...statuses.flatMap((status) => section(`${id} ${status}`, status))
    ])
  ]
  return { page: `${lines.join("\n").trim()}\n`, missing }
}
