/**
 * Who may call: secret keys and the contracts (CIDs) they own.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as KakaoError from "./KakaoError.ts"

/** The key a simulator accepts unless told otherwise. It opens nothing but the simulator. */
export const defaultSecretKey = "DEVSIMULATOR0000000000000000000000000000"

/** One secret key and its contracts. */
export interface Merchant {
  readonly key: string
  /** Contracts for one-time payments. */
  readonly oneTimeCids: ReadonlyArray<string>
  /** Contracts for recurring payments. */
  readonly subscriptionCids: ReadonlyArray<string>
}

/** A merchant with KakaoPay's two public test contracts. [D] */
export const testMerchant = (key: string = defaultSecretKey): Merchant => ({
  key,
  oneTimeCids: ["TC0ONETIME"],
  subscriptionCids: ["TCSUBSCRIP"]
})

/** The answer to a caller we do not know. */
export const unauthorized: KakaoError.KakaoError = KakaoError.make(-401)

/** Finds the merchant of an Authorization header. [D] */
export const authenticate = (
  merchants: ReadonlyMap<string, Merchant>,
  authorization: string | undefined,
  options: { readonly acceptDevScheme: boolean }
): Result.Result<Merchant, KakaoError.KakaoError> => {
  const space = authorization?.indexOf(" ") ?? -1
  if (authorization === undefined || space === -1) return Result.fail(unauthorized)
  const scheme = authorization.slice(0, space)
  const isKnownScheme = scheme === "SECRET_KEY" || (options.acceptDevScheme && scheme === "DEV_SECRET_KEY")
  const merchant = isKnownScheme ? merchants.get(authorization.slice(space + 1)) : undefined
  return merchant === undefined ? Result.fail(unauthorized) : Result.succeed(merchant)
}

/** The kind of a contract; -731 when it is not the merchant's [I], -733 when its secret does not match. */
export const contractKind = (
  merchant: Merchant,
  cidSecrets: Readonly<Record<string, string>>,
  request: { readonly cid: string; readonly cid_secret?: string }
): Result.Result<"one-time" | "subscription", KakaoError.KakaoError> => {
  const isSubscription = merchant.subscriptionCids.includes(request.cid)
  if (!isSubscription && !merchant.oneTimeCids.includes(request.cid)) return Result.fail(KakaoError.make(-731))
  const secret = Object.hasOwn(cidSecrets, request.cid) ? cidSecrets[request.cid] : undefined
  if (secret !== undefined && request.cid_secret !== secret) return Result.fail(KakaoError.make(-733))
  return Result.succeed(isSubscription ? "subscription" : "one-time")
}
