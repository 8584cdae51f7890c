/**
 * The name of one request, through logs, spans and problems.
 *
 * @since 0.1.0
 */
import { Context } from "effect"

/** The header that carries it, in both directions. */
export const header = "x-request-id"

/** The name of the request being served; `-` outside of one. */
export const RequestId = Context.Reference<string>("@pillivery/adapters-http/RequestId", { defaultValue: () => "-" })

const accepted = /^[A-Za-z0-9._:-]{8,128}$/

/** Whether a name that a client brought can be used: nothing that could forge a log line. */
export const isAcceptable = (text: string): boolean => accepted.test(text)
