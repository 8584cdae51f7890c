/**
 * Who receives a delivery, and where.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Phone } from "./Phone.ts"

/** The longest line of an address or name, in characters. */
export const addressLengthMax = 200
/** The longest real name, in characters. */
export const realNameLengthMax = 50

const line = (lengthMax: number) =>
  Schema.String.check(Schema.isMaxLength(lengthMax), Schema.isPattern(/\S/, { expected: "text that is not blank" }))

/** A postal address in Korea. */
export class Address extends Schema.Class<Address>("@pillivery/domain/Receiver/Address")({
  city: line(addressLengthMax),
  detail: line(addressLengthMax)
}) {}

/** A person and an address. */
export class Receiver extends Schema.Class<Receiver>("@pillivery/domain/Receiver/Receiver")({
  realName: line(realNameLengthMax),
  phone: Phone,
  address: Address
}) {}
