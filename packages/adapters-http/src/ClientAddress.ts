/**
 * Who sent a request, as far as addresses go.
 *
 * Whoever connects to us is known; whom a proxy speaks for is believed only from proxies that were named, since anybody
 * can write the header.
 *
 * @since 0.1.0
 */
import { Context, Option, Result, Schema } from "effect"
import type { HttpServerRequest } from "effect/http"
import { BlockList, isIP } from "node:net"

/** The most addresses or networks that one list names. */
export const networksMax = 256
/** The most proxies in a row that are looked through. */
export const proxiesMax = 16

/** A list of networks is not readable. */
export class NetworksInvalid extends Schema.TaggedError<NetworksInvalid>("@pillivery/adapters-http/NetworksInvalid")(
  "NetworksInvalid",
  { text: Schema.String }
) {
  override get message() {
    return `${this.text} is neither an address nor a network such as 10.0.0.0/8`
  }
}

/** Addresses and networks, to be looked up. */
export interface Networks {
  readonly has: (address: string) => boolean
}

/** The proxies whose word is taken for whom they speak for; none unless named. */
export const TrustedProxies = Context.Reference<Networks>("@pillivery/adapters-http/TrustedProxies", {
  defaultValue: () => ({ has: () => false })
})

const prefixMax = { 4: 32, 6: 128 } as const
const familyOf = { 4: "ipv4", 6: "ipv6" } as const
const versionOf = (address: string) => {
  const version = isIP(address)
  return version === 4 || version === 6 ? version : null
}

/** Reads a list of addresses and networks, such as `127.0.0.1, 10.0.0.0/8, ::1`. */
export const parseNetworks = (text: string): Result.Result<Networks, NetworksInvalid> => {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
  if (parts.length > networksMax) return Result.fail(new NetworksInvalid({ text: `a list of ${parts.length}` }))
  const list = new BlockList()
  for (const part of parts) {
    const [address = "", prefix, ...rest] = part.split("/")
    const version = versionOf(address)
    const bits = prefix === undefined ? null : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
    if (version === null || rest.length > 0 || (bits !== null && !(bits <= prefixMax[version]))) {
      return Result.fail(new NetworksInvalid({ text: part }))
    }
    if (bits === null) list.addAddress(address, familyOf[version])
    else list.addSubnet(address, bits, familyOf[version])
  }
  return Result.succeed({
    has: (address) => {
      const version = versionOf(address)
      return version !== null && list.check(address, familyOf[version])
    }
  })
}

// A link-local address carries the name of an interface, which no network has.
const withoutZone = (address: string): string => address.replace(/%.*$/, "")

/** The address of the client behind the trusted proxies; null when it cannot be told. */
export const clientAddress = (
  request: HttpServerRequest.HttpServerRequest,
  trustedProxies: Networks
): string | null => {
  let address = withoutZone(Option.getOrElse(request.remoteAddress, () => ""))
  const forwarded = (request.headers["x-forwarded-for"] ?? "").split(",").map((part) => part.trim())
  for (let hops = 0; hops < proxiesMax && trustedProxies.has(address); hops++) {
    const before = forwarded.pop()
    if (before === undefined || before === "") break
    address = withoutZone(before)
  }
  return versionOf(address) === null ? null : address
}
