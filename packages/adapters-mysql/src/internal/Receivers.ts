/**
 * A receiver in the columns of whoever has one.
 *
 * @since 0.1.0
 */
import type { Receiver } from "@pillivery/domain/Receiver"
import { Schema } from "effect"

/** The columns of a receiver. */
export const receiverColumns = {
  receiver_name: Schema.String,
  receiver_phone: Schema.String,
  receiver_city: Schema.String,
  receiver_detail: Schema.String
}

interface ReceiverRow {
  readonly receiver_name: string
  readonly receiver_phone: string
  readonly receiver_city: string
  readonly receiver_detail: string
}

/** A receiver's values of those columns. */
export const receiverToRow = ({ address, phone, realName }: Receiver): ReceiverRow => ({
  receiver_name: realName,
  receiver_phone: phone,
  receiver_city: address.city,
  receiver_detail: address.detail
})

/** The receiver, still to be checked. */
export const rowToReceiver = (row: ReceiverRow) => ({
  realName: row.receiver_name,
  phone: row.receiver_phone,
  address: { city: row.receiver_city, detail: row.receiver_detail }
})
