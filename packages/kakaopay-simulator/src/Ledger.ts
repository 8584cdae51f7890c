/**
 * The truth: every capture and refund that really happened, whatever a client was told.
 *
 * @since 0.1.0
 */

/** Money that moved. `at` is the simulator's true time, never the skewed time it reports. */
export interface LedgerEntry {
  readonly kind: "capture" | "refund"
  readonly tid: string
  readonly aid: string
  readonly sid: string | null
  readonly cid: string
  readonly partnerOrderId: string
  readonly partnerUserId: string
  readonly amount: number
  readonly at: string
  readonly atMillis: number
}

/** Selects entries; absent fields match everything. */
export interface LedgerFilter {
  readonly tid?: string
  readonly sid?: string
  readonly partnerOrderId?: string
  readonly partnerUserId?: string
}

/** Sums over a selection. */
export interface LedgerTotals {
  readonly captureCount: number
  readonly capturedAmount: number
  readonly refundCount: number
  readonly refundedAmount: number
  readonly netAmount: number
}

/** An append-only list. Its indexes are made when it is read, so that a charge does not pay for them. */
export interface Ledger {
  readonly append: (entry: Omit<LedgerEntry, "at">) => void
  readonly select: (filter?: LedgerFilter) => ReadonlyArray<LedgerEntry>
  readonly totals: (filter?: LedgerFilter) => LedgerTotals
}

/** A kept entry; the text of its time is made when it is read. */
type Kept = Omit<LedgerEntry, "at">

const indexed = (index: Map<string, Array<Kept>>, key: string, entry: Kept): void => {
  const entries = index.get(key)
  if (entries === undefined) index.set(key, [entry])
  else entries.push(entry)
}

/** An empty ledger. */
export const make = (): Ledger => {
  const all: Array<Kept> = []
  const byTid = new Map<string, Array<Kept>>()
  const bySid = new Map<string, Array<Kept>>()
  const byOrder = new Map<string, Array<Kept>>()
  let indexedCount = 0
  const index = (): void => {
    for (const entry of all.slice(indexedCount)) {
      indexed(byTid, entry.tid, entry)
      indexed(byOrder, entry.partnerOrderId, entry)
      if (entry.sid !== null) indexed(bySid, entry.sid, entry)
    }
    indexedCount = all.length
  }
  const find = (filter: LedgerFilter = {}): ReadonlyArray<Kept> => {
    if (indexedCount < all.length) index()
    let from: ReadonlyArray<Kept> = all
    if (filter.tid !== undefined) from = byTid.get(filter.tid) ?? []
    else if (filter.partnerOrderId !== undefined) from = byOrder.get(filter.partnerOrderId) ?? []
    else if (filter.sid !== undefined) from = bySid.get(filter.sid) ?? []
    return from.filter(
      (entry) =>
        (filter.sid === undefined || entry.sid === filter.sid) &&
        (filter.partnerOrderId === undefined || entry.partnerOrderId === filter.partnerOrderId) &&
        (filter.partnerUserId === undefined || entry.partnerUserId === filter.partnerUserId)
    )
  }
  return {
    append: (entry) => {
      all.push(entry)
    },
    select: (filter) => find(filter).map((entry) => ({ ...entry, at: new Date(entry.atMillis).toISOString() })),
    totals: (filter) => {
      let captureCount = 0
      let capturedAmount = 0
      let refundCount = 0
      let refundedAmount = 0
      for (const entry of find(filter)) {
        if (entry.kind === "capture") {
          captureCount += 1
          capturedAmount += entry.amount
        } else {
          refundCount += 1
          refundedAmount += entry.amount
        }
      }
      return { captureCount, capturedAmount, refundCount, refundedAmount, netAmount: capturedAmount - refundedAmount }
    }
  }
}
