/**
 * A payment provider in memory that behaves as it is told: it executes or not, and answers the truth, too late or never.
 *
 * A system under test by `PaymentModel` hands it each command first, and then calls it as it would call its provider.
 * Amounts are won, transactions are numbered from 0, and it counts the calls that may move money.
 *
 * @since 0.1.0
 */
import type { ApprovalScript, PaymentCommand, PaymentTerms, ProviderAccount } from "./PaymentModel.ts"

/** A provider that behaves as the last command it was told says; times are minutes since the order was placed. */
export interface ScriptedProvider {
  /** Takes the script of a command; call it first for every command. */
  readonly obey: (command: PaymentCommand) => void
  /** Opens a transaction; null when it does not answer. */
  readonly open: () => { readonly transaction: number; readonly expiresAtMinute: number } | null
  /** Approves a transaction. */
  readonly approve: (transaction: number, amountWon: number) => Exclude<ApprovalScript, "lostLate" | "lostNever">
  /** The answer that was taken for lost. */
  readonly arrive: (transaction: number) => "approved" | "declined"
  /** How a transaction is shown; null when the lookup tells nothing. */
  readonly lookUp: (transaction: number) => {
    readonly standing: "waiting" | "approved" | "failed"
    readonly amountWon: number
    readonly refundedTotalWon: number
  } | null
  /** Gives won back; `availableWon` is what the caller's books say can be, and any other amount is refused. */
  readonly refund: (
    transaction: number,
    asked: { readonly amountWon: number; readonly availableWon: number }
  ) =>
    | { readonly _tag: "done"; readonly refundedTotalWon: number }
    | { readonly _tag: "refused" | "lost" | "notExecuted" | "maintenance" }
  /** What it did for one transaction. */
  readonly account: (transaction: number) => ProviderAccount
}

/** Makes a provider that has no transactions yet. */
export const make = (terms: PaymentTerms): ScriptedProvider => {
  const accounts: Array<{ -readonly [K in keyof ProviderAccount]: number } & { amount: number; hasFailed: boolean }> =
    []
  const late: Array<{ readonly at: number; readonly run: () => void }> = []
  let now = 0
  let script: PaymentCommand = { _tag: "PassTime", minutes: 0 }
  const accountOf = (transaction: number) => {
    const account = accounts[transaction]
    if (account === undefined) throw new Error(`transaction ${transaction} was never opened`)
    return account
  }
  return {
    obey: (command) => {
      script = command
      if (command._tag === "TurnBack" && command.hasFailed) accountOf(command.transaction).hasFailed = true
      if (command._tag !== "PassTime") return
      now += command.minutes
      for (const due of late.filter(({ at }) => at <= now)) {
        late.splice(late.indexOf(due), 1)
        due.run()
      }
    },
    open: () => {
      if (script._tag === "RequestPayment" && !script.isOpened) return null
      accounts.push({
        capturedWon: 0,
        givenBackWon: 0,
        approveCalls: 0,
        refundCalls: 0,
        amount: 0,
        hasFailed: false
      })
      return { transaction: accounts.length - 1, expiresAtMinute: now + terms.transactionMinutes }
    },
    approve: (transaction, amountWon) => {
      const account = accountOf(transaction)
      account.approveCalls++
      account.amount = amountWon
      const capture = () => {
        account.capturedWon = amountWon
      }
      if (script._tag !== "ApproveTransaction") return "lost"
      switch (script.script) {
        case "lostNever":
          return "lost"
        case "lostLate":
          late.push({ at: now + script.lateMinutes, run: capture })
          return "lost"
        case "approved":
        case "lost":
          capture()
          return script.script
        default:
          return script.script
      }
    },
    arrive: (transaction) => (accountOf(transaction).capturedWon > 0 ? "approved" : "declined"),
    lookUp: (transaction) => {
      const account = accountOf(transaction)
      if ("isAnswered" in script && !script.isAnswered) return null
      if (script._tag === "SendRefund" && script.script === "refusedUnseen") return null
      return {
        standing: account.capturedWon > 0 ? "approved" : account.hasFailed ? "failed" : "waiting",
        amountWon: account.amount,
        refundedTotalWon: account.givenBackWon
      }
    },
    refund: (transaction, { amountWon, availableWon }) => {
      const account = accountOf(transaction)
      account.refundCalls++
      if (availableWon !== account.capturedWon - account.givenBackWon) return { _tag: "refused" }
      const giveBack = () => {
        account.givenBackWon += amountWon
      }
      switch (script._tag === "SendRefund" ? script.script : "lostNever") {
        case "done":
          giveBack()
          return { _tag: "done", refundedTotalWon: account.givenBackWon }
        case "refusedDone":
          giveBack()
          return { _tag: "refused" }
        case "refused":
        case "refusedUnseen":
          return { _tag: "refused" }
        case "lost":
          giveBack()
          return { _tag: "lost" }
        case "lostLate":
          if (script._tag === "SendRefund") late.push({ at: now + script.lateMinutes, run: giveBack })
          return { _tag: "lost" }
        case "lostNever":
          return { _tag: "lost" }
        case "notExecuted":
          return { _tag: "notExecuted" }
        case "maintenance":
          return { _tag: "maintenance" }
      }
    },
    account: (transaction) => {
      const { approveCalls, capturedWon, givenBackWon, refundCalls } = accountOf(transaction)
      return { approveCalls, capturedWon, givenBackWon, refundCalls }
    }
  }
}
