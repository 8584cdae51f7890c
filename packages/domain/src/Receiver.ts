/**
 * Who receives a delivery, and where.
 *
 * The schemas take what was stored at any time; what people type is read with {@link parse} and {@link parseAddress}, which
 * answer one spelling and refuse what cannot be printed on a parcel.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Phone from "./Phone.ts"

/** The longest line of an address, in UTF-16 units. */
export const addressLengthMax = 200
/** The longest real name, in UTF-16 units. */
export const realNameLengthMax = 50

const line = (lengthMax: number) =>
  Schema.String.check(Schema.isMaxLength(lengthMax), Schema.isPattern(/\S/, { expected: "text that is not blank" }))

/** A postal address in Korea: two lines of at most {@link addressLengthMax} units each, neither blank. */
export class Address extends Schema.Class<Address>("@pillivery/domain/Receiver/Address")({
  city: line(addressLengthMax),
  detail: line(addressLengthMax)
}) {}

/** A person, named in at most {@link realNameLengthMax} units, and an address. */
export class Receiver extends Schema.Class<Receiver>("@pillivery/domain/Receiver/Receiver")({
  realName: line(realNameLengthMax),
  phone: Phone.Phone,
  address: Address
}) {}

/** One line cannot be printed on a parcel; the text is not repeated, since it is personal, and `length` is in UTF-16 units. */
export class ReceiverInvalid extends Schema.TaggedError<ReceiverInvalid>("@pillivery/domain/Receiver/ReceiverInvalid")(
  "ReceiverInvalid",
  {
    field: Schema.Literals(["realName", "city", "detail"]),
    reason: Schema.Literals(["unprintable", "blank", "tooLong"]),
    length: Schema.Int
  }
) {
  override get message() {
    const lengthMax = this.field === "realName" ? realNameLengthMax : addressLengthMax
    return this.reason === "blank"
      ? `${this.field} is not blank`
      : this.reason === "tooLong"
        ? `${this.field} has at most ${lengthMax} characters, not ${this.length}`
        : `${this.field} has no invisible characters`
  }
}

/** An address as a person types it. */
export interface TypedAddress {
  readonly city: string
  readonly detail: string
}

/** A receiver as a person types it. */
export interface TypedReceiver {
  readonly realName: string
  readonly phone: string
  readonly address: TypedAddress
}

/** The one spelling of a line: NFC, trimmed, and one space for white space of any kind and length inside. */
export const normalizeLine = (text: string): string => text.normalize("NFC").trim().replaceAll(/\s+/g, " ")

/** Reads what a person typed as a real name. */
export const parseRealName = (text: string): Result.Result<string, ReceiverInvalid> =>
  parseLine("realName", text, realNameLengthMax)

/** Reads what a person typed as an address. */
export const parseAddress = (typed: TypedAddress): Result.Result<Address, ReceiverInvalid> =>
  Result.flatMap(parseLine("city", typed.city, addressLengthMax), (city) =>
    Result.map(parseLine("detail", typed.detail, addressLengthMax), (detail) => new Address({ city, detail }))
  )

/** Reads what a person typed as a receiver; the phone is answered with hyphens. */
export const parse = (typed: TypedReceiver): Result.Result<Receiver, ReceiverInvalid | Phone.PhoneInvalid> =>
  Result.gen(function* () {
    const realName = yield* parseRealName(typed.realName)
    const phone = yield* Phone.parse(typed.phone)
    return new Receiver({ realName, phone, address: yield* parseAddress(typed.address) })
  })

const parseLine = (
  field: ReceiverInvalid["field"],
  text: string,
  lengthMax: number
): Result.Result<string, ReceiverInvalid> => {
  const normalized = normalizeLine(text)
  const refuse = (reason: ReceiverInvalid["reason"]) =>
    Result.fail(new ReceiverInvalid({ field, reason, length: normalized.length }))
  // Controls and format characters, among them joiners and marks of direction, cannot be seen.
  if (/\p{C}/u.test(normalized)) return refuse("unprintable")
  // These fill a line with nothing.
  if (!/[^\s\u2800\u3164\uFFA0\u115F\u1160]/u.test(normalized)) return refuse("blank")
  return normalized.length > lengthMax ? refuse("tooLong") : Result.succeed(normalized)
}
