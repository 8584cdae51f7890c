/**
 * An order that waits to be paid, validated by hand: what one would write without a schema library, checking what the
 * schema of the domain checks. Only the benchmark uses it.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"

type Fields = Readonly<Record<string, unknown>>

const uuid =
  /^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff|FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF)$/
const phonePattern = /^01[016789]-?\d{3,4}-?\d{4}$/
const wonMax = 99_999_999_999
const linesMax = 50

const fail = (name: string): never => {
  throw new Error(`${name} is not what it must be`)
}

const fieldsOf = (value: unknown, name: string): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : fail(name)

const id = (value: unknown, name: string): string =>
  typeof value === "string" && uuid.test(value) ? value : fail(name)

const text = (value: unknown, name: string, lengthMax: number): string =>
  typeof value === "string" && value.length <= lengthMax ? value : fail(name)

const line = (value: unknown, name: string, lengthMax: number): string =>
  /\S/.test(text(value, name, lengthMax)) ? String(value) : fail(name)

const int = (value: unknown, name: string, minimum: number, maximum: number): number =>
  Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum ? Number(value) : fail(name)

const instant = (value: unknown, name: string): DateTime.Utc => {
  const parsed = DateTime.make(typeof value === "string" ? value : fail(name))
  return parsed._tag === "Some" ? DateTime.toUtc(parsed.value) : fail(name)
}

const validateLine = (value: unknown) => {
  const fields = fieldsOf(value, "line")
  return {
    id: id(fields["id"], "id"),
    itemId: id(fields["itemId"], "itemId"),
    itemName: text(fields["itemName"], "itemName", 200),
    originPrice: int(fields["originPrice"], "originPrice", 0, wonMax),
    unitPrice: int(fields["unitPrice"], "unitPrice", 0, wonMax),
    quantity: int(fields["quantity"], "quantity", 1, 999),
    period: fields["period"] === null ? null : int(fields["period"], "period", 30, 365),
    refundedQuantity: int(
      fields["refundedQuantity"],
      "refundedQuantity",
      Number.MIN_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER
    )
  }
}

const validateOrigin = (value: unknown) => {
  const fields = fieldsOf(value, "origin")
  switch (fields["_tag"]) {
    case "FromLines":
      return { _tag: "FromLines" }
    case "FromCart":
      return fields["cart"] === "normal" || fields["cart"] === "subscription"
        ? { _tag: "FromCart", cart: fields["cart"] }
        : fail("cart")
    default:
      return fail("origin")
  }
}

const validateReceiver = (value: unknown) => {
  const fields = fieldsOf(value, "receiver")
  const address = fieldsOf(fields["address"], "address")
  const phone = fields["phone"]
  return {
    realName: line(fields["realName"], "realName", 50),
    phone: typeof phone === "string" && phonePattern.test(phone) ? phone : fail("phone"),
    address: { city: line(address["city"], "city", 200), detail: line(address["detail"], "detail", 200) }
  }
}

/** Reads an order that waits to be paid, throwing at what is wrong first. */
export const validateOrder = (value: unknown) => {
  const fields = fieldsOf(value, "order")
  if (fields["_tag"] !== "Placed") fail("_tag")
  const lines: ReadonlyArray<unknown> = Array.isArray(fields["lines"]) ? fields["lines"] : fail("lines")
  if (lines.length < 1 || lines.length > linesMax) fail("lines")
  return {
    _tag: "Placed",
    id: id(fields["id"], "id"),
    userId: id(fields["userId"], "userId"),
    origin: validateOrigin(fields["origin"]),
    lines: lines.map(validateLine),
    receiver: validateReceiver(fields["receiver"]),
    total: int(fields["total"], "total", 0, wonMax),
    discountTotal: int(fields["discountTotal"], "discountTotal", 0, wonMax),
    placedAt: instant(fields["placedAt"], "placedAt"),
    version: int(fields["version"], "version", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    expiresAt: instant(fields["expiresAt"], "expiresAt"),
    approvingAttempt: fields["approvingAttempt"] === null ? null : id(fields["approvingAttempt"], "approvingAttempt")
  }
}
