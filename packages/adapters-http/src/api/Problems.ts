/**
 * Refusals as clients see them: RFC 9457 problems, one schema a status.
 *
 * `code` is what programs look at, `text` what people read. `requestId` finds the request in the logs.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { type CodeOf, codesOf, type Status } from "./ErrorCatalogue.ts"

/** The media type of a problem. */
export const contentType = "application/problem+json"

/** One field that is wrong; `pointer` is a JSON pointer into the body, or names the part of the request it is in. */
export const FieldError = Schema.Struct({
  pointer: Schema.String,
  rule: Schema.optionalKey(Schema.String),
  detail: Schema.String
}).annotate({ identifier: "FieldError" })
export type FieldError = typeof FieldError.Type

/** What people are told. */
export const Text = Schema.Struct({ ko: Schema.String, en: Schema.String }).annotate({ identifier: "Text" })

const fieldsOf = <S extends Status>(status: S) => ({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Literal(status),
  code: Schema.Literals(codesOf(status)),
  detail: Schema.optionalKey(Schema.String),
  text: Text,
  requestId: Schema.String,
  errors: Schema.optionalKey(Schema.Array(FieldError)),
  retryAfterSeconds: Schema.optionalKey(Schema.Int)
})

/** What every problem says, whatever its status. */
export interface Fields {
  readonly type: string
  readonly title: string
  readonly code: string
  readonly detail?: string
  readonly text: typeof Text.Type
  readonly requestId: string
  readonly errors?: ReadonlyArray<FieldError>
  readonly retryAfterSeconds?: number
}

/** The request does not have the expected form. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")(fieldsOf(400), { httpApiStatus: 400 }) {
  get _tag() {
    return "BadRequest" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** Nobody, or nobody we know, is asking. */
export class Unauthorized extends Schema.Error<Unauthorized>("Unauthorized")(fieldsOf(401), { httpApiStatus: 401 }) {
  get _tag() {
    return "Unauthorized" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** We know who is asking, and they may not. */
export class Forbidden extends Schema.Error<Forbidden>("Forbidden")(fieldsOf(403), { httpApiStatus: 403 }) {
  get _tag() {
    return "Forbidden" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** It is not there, or it is somebody else's. */
export class NotFound extends Schema.Error<NotFound>("NotFound")(fieldsOf(404), { httpApiStatus: 404 }) {
  get _tag() {
    return "NotFound" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** The address does not take that method. */
export class MethodNotAllowed extends Schema.Error<MethodNotAllowed>("MethodNotAllowed")(fieldsOf(405), {
  httpApiStatus: 405
}) {
  get _tag() {
    return "MethodNotAllowed" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** It cannot be done in the state things are in. */
export class Conflict extends Schema.Error<Conflict>("Conflict")(fieldsOf(409), { httpApiStatus: 409 }) {
  get _tag() {
    return "Conflict" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** The body is too large. */
export class BodyTooLarge extends Schema.Error<BodyTooLarge>("BodyTooLarge")(fieldsOf(413), { httpApiStatus: 413 }) {
  get _tag() {
    return "BodyTooLarge" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** The body is of a kind that is not understood. */
export class MediaTypeUnsupported extends Schema.Error<MediaTypeUnsupported>("MediaTypeUnsupported")(fieldsOf(415), {
  httpApiStatus: 415
}) {
  get _tag() {
    return "MediaTypeUnsupported" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** The request is well formed, and breaks a rule of the shop. */
export class Unprocessable extends Schema.Error<Unprocessable>("Unprocessable")(fieldsOf(422), { httpApiStatus: 422 }) {
  get _tag() {
    return "Unprocessable" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** Too many requests; a while later the next one is heard. */
export class TooManyRequests extends Schema.Error<TooManyRequests>("TooManyRequests")(fieldsOf(429), {
  httpApiStatus: 429
}) {
  get _tag() {
    return "TooManyRequests" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** A fault of ours. */
export class InternalError extends Schema.Error<InternalError>("InternalError")(fieldsOf(500), { httpApiStatus: 500 }) {
  get _tag() {
    return "InternalError" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** It cannot be done now; the same request may succeed a little later. */
export class Unavailable extends Schema.Error<Unavailable>("Unavailable")(fieldsOf(503), { httpApiStatus: 503 }) {
  get _tag() {
    return "Unavailable" as const
  }
  override get message() {
    return this.detail ?? this.title
  }
}

/** The problem of each status. */
export interface ByStatus {
  readonly 400: BadRequest
  readonly 401: Unauthorized
  readonly 403: Forbidden
  readonly 404: NotFound
  readonly 405: MethodNotAllowed
  readonly 409: Conflict
  readonly 413: BodyTooLarge
  readonly 415: MediaTypeUnsupported
  readonly 422: Unprocessable
  readonly 429: TooManyRequests
  readonly 500: InternalError
  readonly 503: Unavailable
}

/** A problem of any status. */
export type Problem = ByStatus[Status]

/** Makes the problem of a status. The code must be one that the catalogue lists for the status; a wrong one throws. */
export const make: { readonly [S in Status]: (fields: Fields) => ByStatus[S] } = {
  400: (fields) => new BadRequest({ ...fields, status: 400, code: fields.code as CodeOf<400> }),
  401: (fields) => new Unauthorized({ ...fields, status: 401, code: fields.code as CodeOf<401> }),
  403: (fields) => new Forbidden({ ...fields, status: 403, code: fields.code as CodeOf<403> }),
  404: (fields) => new NotFound({ ...fields, status: 404, code: fields.code as CodeOf<404> }),
  405: (fields) => new MethodNotAllowed({ ...fields, status: 405, code: fields.code as CodeOf<405> }),
  409: (fields) => new Conflict({ ...fields, status: 409, code: fields.code as CodeOf<409> }),
  413: (fields) => new BodyTooLarge({ ...fields, status: 413, code: fields.code as CodeOf<413> }),
  415: (fields) => new MediaTypeUnsupported({ ...fields, status: 415, code: fields.code as CodeOf<415> }),
  422: (fields) => new Unprocessable({ ...fields, status: 422, code: fields.code as CodeOf<422> }),
  429: (fields) => new TooManyRequests({ ...fields, status: 429, code: fields.code as CodeOf<429> }),
  500: (fields) => new InternalError({ ...fields, status: 500, code: fields.code as CodeOf<500> }),
  503: (fields) => new Unavailable({ ...fields, status: 503, code: fields.code as CodeOf<503> })
}

const asProblem = HttpApiSchema.asJson({ contentType })

/** The schemas as endpoints declare them. */
export const badRequest = BadRequest.pipe(asProblem)
export const unauthorized = Unauthorized.pipe(asProblem)
export const forbidden = Forbidden.pipe(asProblem)
export const notFound = NotFound.pipe(asProblem)
export const methodNotAllowed = MethodNotAllowed.pipe(asProblem)
export const conflict = Conflict.pipe(asProblem)
export const bodyTooLarge = BodyTooLarge.pipe(asProblem)
export const mediaTypeUnsupported = MediaTypeUnsupported.pipe(asProblem)
export const unprocessable = Unprocessable.pipe(asProblem)
export const tooManyRequests = TooManyRequests.pipe(asProblem)
export const internalError = InternalError.pipe(asProblem)
export const unavailable = Unavailable.pipe(asProblem)
