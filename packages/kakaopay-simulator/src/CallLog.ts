/**
 * The log of received calls, in a ring of bounded size.
 *
 * @since 0.1.0
 */
import type { Endpoint } from "./Requests.ts"

/** One received call and what became of it. The key of the Authorization header is never kept. */
export interface CallRecord {
  /** 1 for the first call since the last reset. */
  readonly sequence: number
  readonly endpoint: Endpoint
  readonly receivedAt: string
  readonly receivedAtMillis: number
  readonly fields: Readonly<Record<string, unknown>>
  /** Kind of the fault that hit the call. */
  readonly fault: string | null
  /** The operation took effect. A late commit turns this true when it lands. */
  readonly executed: boolean
  /** An answer was handed to the client's socket. */
  readonly answered: boolean
  /** Status of the answer. */
  readonly httpStatus: number | null
  /** KakaoPay's code when the operation was refused. */
  readonly errorCode: number | null
}

/** The engine's own, writable record. The text of its time is made when it is read. */
export type MutableCallRecord = { -readonly [K in Exclude<keyof CallRecord, "receivedAt">]: CallRecord[K] }

/** Selects calls. */
export interface CallFilter {
  readonly endpoint?: Endpoint
  readonly sid?: string
  readonly tid?: string
  readonly partnerOrderId?: string
  readonly partnerUserId?: string
}

/** The log. */
export interface CallLog {
  readonly append: (call: Pick<CallRecord, "endpoint" | "receivedAtMillis" | "fields">) => MutableCallRecord
  readonly select: (filter?: CallFilter) => ReadonlyArray<CallRecord>
  /** Calls received since the last reset, dropped ones included. */
  readonly received: () => number
}

/** An empty log that keeps the newest `countMax` calls. */
export const make = (countMax: number): CallLog => {
  const ring: Array<MutableCallRecord> = []
  let received = 0
  return {
    append: ({ endpoint, fields, receivedAtMillis }) => {
      const record: MutableCallRecord = {
        sequence: received + 1,
        endpoint,
        receivedAtMillis,
        fields,
        fault: null,
        executed: false,
        answered: false,
        httpStatus: null,
        errorCode: null
      }
      ring[received % countMax] = record
      received += 1
      return record
    },
    select: (filter = {}) => {
      const first = received % countMax
      const ordered = received <= countMax ? ring : [...ring.slice(first), ...ring.slice(0, first)]
      return ordered
        .filter(
          (call) =>
            (filter.endpoint === undefined || call.endpoint === filter.endpoint) &&
            (filter.sid === undefined || call.fields["sid"] === filter.sid) &&
            (filter.tid === undefined || call.fields["tid"] === filter.tid) &&
            (filter.partnerOrderId === undefined || call.fields["partner_order_id"] === filter.partnerOrderId) &&
            (filter.partnerUserId === undefined || call.fields["partner_user_id"] === filter.partnerUserId)
        )
        .map((call) => ({ ...call, receivedAt: new Date(call.receivedAtMillis).toISOString() }))
    },
    received: () => received
  }
}
