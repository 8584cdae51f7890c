/**
 * From an error of the application to a problem.
 *
 * A handler pipes its use case through {@link answer}. An error that the catalogue does not know does not compile, and
 * neither does a problem that the endpoint does not declare.
 *
 * @since 0.1.0
 */
import { Effect, Layer, SchemaIssue } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { catalogue, type StatusOf, type Tag, typeOf } from "./api/ErrorCatalogue.ts"
import { Refusals } from "./api/Middleware.ts"
import * as Problems from "./api/Problems.ts"
import { RequestId } from "./RequestId.ts"

/** After how many seconds a client may try again when nothing better is known. */
export const retryAfterSecondsDefault = 2

/** An error that may reach a client. */
export interface Refusal {
  readonly _tag: Tag
  readonly message: string
}

/** The problem of an error. */
export type ProblemOf<E extends Refusal> = Problems.ByStatus[StatusOf<E["_tag"]>]

// Clients need not know what of ours is broken.
const isOurs = (tag: Tag): boolean => catalogue[tag].status >= 500

/** What a problem of this kind says. */
export const fieldsOf = (
  tag: Tag,
  requestId: string,
  specific: Pick<Problems.Fields, "detail" | "errors" | "retryAfterSeconds"> = {}
): Problems.Fields => {
  const { code, english, korean } = catalogue[tag]
  return { type: typeOf(code), title: english, code, text: { ko: korean, en: english }, requestId, ...specific }
}

/** A problem as a finished response, for refusals that no handler makes. */
export const toResponse = (
  tag: Tag,
  requestId: string,
  options: {
    readonly detail?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {}
): HttpServerResponse.HttpServerResponse => {
  const { status } = catalogue[tag]
  const { headers = {}, ...specific } = options
  return HttpServerResponse.jsonUnsafe(
    { ...fieldsOf(tag, requestId, specific), status },
    { status, contentType: Problems.contentType, headers }
  )
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** The field that each refusal of a review is about. */
const reviewPointers: Readonly<Record<string, string>> = {
  RatingOutOfRange: "/stars",
  ReviewContentInvalid: "/content",
  ReviewNotPurchased: "/orderId"
}

const fieldErrorsOf = (error: Refusal): ReadonlyArray<Problems.FieldError> | undefined => {
  if (error._tag === "SignUpInvalid" && "failures" in error && Array.isArray(error.failures)) {
    return error.failures.map(({ english, field, rule }: Record<string, string>) => ({
      pointer: `/${field}`,
      ...(rule === undefined ? {} : { rule }),
      detail: english ?? ""
    }))
  }
  if (error._tag === "UserExists" && "field" in error && typeof error.field === "string") {
    return [{ pointer: `/${error.field}`, rule: "unique", detail: error.message }]
  }
  const pointer = reviewPointers[error._tag]
  if (pointer !== undefined) {
    const rule = "reason" in error && typeof error.reason === "string" ? { rule: error.reason } : {}
    return [{ pointer, ...rule, detail: error.message }]
  }
  return undefined
}

const retryAfterOf = (error: Refusal): number | undefined => {
  if ("retryAfterSeconds" in error && typeof error.retryAfterSeconds === "number") return error.retryAfterSeconds
  const { status } = catalogue[error._tag]
  return status === 503 || error._tag === "StaleWrite" ? retryAfterSecondsDefault : undefined
}

/** The problem of an error; failures of ours are logged here, once. */
export const toProblem = Effect.fnUntraced(function* <E extends Refusal>(error: E) {
  const requestId = yield* RequestId
  const { status } = catalogue[error._tag]
  const retryAfterSeconds = retryAfterOf(error)
  const errors = fieldErrorsOf(error)
  if (isOurs(error._tag)) {
    yield* Effect.logWarning("A request could not be served", error).pipe(
      Effect.annotateLogs({ requestId, ...("cause" in error && isObject(error.cause) ? { cause: error.cause } : {}) })
    )
  }
  if (retryAfterSeconds !== undefined) {
    yield* HttpEffect.appendPreResponseHandler((_request, response) =>
      Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", String(retryAfterSeconds)))
    )
  }
  return Problems.make[status](
    fieldsOf(error._tag, requestId, {
      ...(isOurs(error._tag) || error.message === "" ? {} : { detail: error.message }),
      ...(errors === undefined ? {} : { errors }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
    })
  ) as ProblemOf<E>
})

/** Answers what the use case answers, or the problem of its error. */
export const answer = <A, E extends Refusal, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catch(effect, (error) => Effect.flatMap(toProblem(error), (problem) => Effect.fail(problem)))

const standardIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const segmentOf = (segment: PropertyKey | { readonly key: PropertyKey }): string =>
  String(typeof segment === "object" ? segment.key : segment)
    .replaceAll("~", "~0")
    .replaceAll("/", "~1")

/** The most field errors one problem tells. */
export const fieldErrorsMax = 50

/** Requests that do not decode are refused with a pointer to each wrong field; answers of ours that do not encode are bugs. */
export const layerRefusals: Layer.Layer<Refusals> = HttpApiMiddleware.layerSchemaErrorTransform(
  Refusals,
  Effect.fnUntraced(function* (error) {
    if (error.kind === "Body" || error.kind === "ResponseHeaders") return yield* Effect.die(error)
    const slot = error.kind === "Payload" ? "" : `/${error.kind.toLowerCase()}`
    const errors = standardIssues(error.cause.issue)
      .issues.slice(0, fieldErrorsMax)
      .map((issue) => ({
        pointer: [slot, ...(issue.path ?? []).map(segmentOf)].join("/"),
        detail: issue.message
      }))
    return yield* Effect.fail(Problems.make[400](fieldsOf("InvalidRequest", yield* RequestId, { errors })))
  })
)
