/**
 * What becomes of a call on the wire: the engine decides it, the HTTP layer carries it out.
 *
 * @since 0.1.0
 */
import * as KakaoError from "./KakaoError.ts"
import type { SeededRandom } from "./internal/SeededRandom.ts"
import type { Switches } from "./Switches.ts"
import * as Wire from "./internal/Wire.ts"

/** An answer, no answer, or a cut connection. */
export type Delivery =
  | {
      readonly kind: "answer"
      readonly status: number
      readonly contentType: string
      readonly body: string
      /** Real time to wait before sending. */
      readonly delayMillis: number
      /** To be called once, when the answer was sent or could not be sent any more. */
      readonly finished: (wasAnswered: boolean) => void
    }
  | { readonly kind: "hang" }
  | { readonly kind: "reset" }

/** Status and body of an answer. */
export interface Reply {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

const jsonType = "application/json;charset=UTF-8"

/** 200 with the fields. */
export const success = (fields: Wire.Fields, switches: Switches, random: SeededRandom): Reply => ({
  status: 200,
  contentType: jsonType,
  body: Wire.encode(fields, switches, random)
})

/** KakaoPay's error body: `extras` only where there are some. [C/D] */
export const failure = (error: KakaoError.KakaoError, switches: Switches): Reply => ({
  status: KakaoError.httpStatus(error, switches),
  contentType: jsonType,
  body:
    error.code === -401
      ? switches.unauthorizedBody
      : JSON.stringify({
          error_code: error.code,
          error_message: error.message,
          ...(error.extras === undefined ? {} : { extras: error.extras })
        })
})

/** What a gateway in front of the provider says: HTML, no code. [U] */
export const gateway = (status: 502 | 504): Reply => {
  const title = status === 502 ? "502 Bad Gateway" : "504 Gateway Time-out"
  return {
    status,
    contentType: "text/html",
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`
  }
}

/** A body that ends in the middle. */
export const truncated = (reply: Reply): Reply => ({ ...reply, body: reply.body.slice(0, reply.body.length >> 1) })
