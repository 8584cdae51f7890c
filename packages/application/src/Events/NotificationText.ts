/**
 * What users are told, in Korean and English.
 *
 * @since 0.1.0
 */
import type { DomainEvent } from "@pillivery/domain/DomainEvent"

/** One message in both languages. */
export interface Text {
  readonly korean: string
  readonly english: string
}

const won = (amount: number): string => `${amount.toLocaleString("en-US")}`

/** The e-mail that says a message, in Korean first; its subject is the Korean one. */
export const mailOf = ({ english, korean }: Text): { readonly subject: string; readonly text: string } => ({
  subject: `[Pillivery] ${korean}`,
  text: `${korean}\n\n${english}\n\nPillivery\n`
})

/** The message for an event; null when its user need not know. */
export const textOf = (event: DomainEvent): Text | null => {
  switch (event._tag) {
    case "OrderPaid":
      return {
        korean: `주문이 결제되었습니다. 결제 금액 ${won(event.amount)}원`,
        english: `Your order was paid: ${won(event.amount)} won.`
      }
    case "OrderExpired":
      return {
        korean: "결제 시간이 지나 주문이 취소되었습니다.",
        english: "Your order expired because it was not paid in time."
      }
    case "SubscriptionStarted":
      return {
        korean: `정기배송이 시작되었습니다. 다음 결제일은 ${event.nextDueDate}입니다.`,
        english: `Your subscription has begun. The next payment is on ${event.nextDueDate}.`
      }
    case "ChargeUpcoming":
      return {
        korean: `${event.on}에 정기결제 ${won(event.amount)}원이 예정되어 있습니다. 그 전에 변경하거나 건너뛸 수 있습니다.`,
        english: `Your renewal of ${won(event.amount)} won will be charged on ${event.on}. Until then you can change or skip it.`
      }
    case "CycleCharged":
      return {
        korean: `정기결제 ${won(event.amount)}원이 완료되었습니다.`,
        english: `Your renewal was charged: ${won(event.amount)} won.`
      }
    case "CycleDeclined":
      return event.severity === "Hard"
        ? {
            korean: "정기결제가 거절되었습니다. 결제 수단을 다시 등록해 주세요.",
            english: "Your renewal was declined. Please register another way to pay."
          }
        : {
            korean:
              event.nextAttemptOn === null
                ? "정기결제가 끝내 거절되었습니다."
                : `정기결제가 거절되었습니다. ${event.nextAttemptOn}에 다시 시도합니다.`,
            english:
              event.nextAttemptOn === null
                ? "Your renewal was declined to the end."
                : `Your renewal was declined. It will be tried again on ${event.nextAttemptOn}.`
          }
    case "CycleSkipped":
      return {
        korean: "이번 정기배송은 건너뛰었습니다.",
        english: "This delivery of your subscription was left out."
      }
    case "DeliveryPostponed":
      return {
        korean: `정기배송이 ${event.from}에서 ${event.to}로 미뤄졌습니다.`,
        english: `Your delivery was postponed from ${event.from} to ${event.to}.`
      }
    case "SubscriptionPaused":
      return event.resumeOn === null
        ? { korean: "정기배송이 일시 중지되었습니다.", english: "Your subscription was paused." }
        : {
            korean: `정기배송이 ${event.resumeOn}까지 일시 중지되었습니다.`,
            english: `Your subscription was paused until ${event.resumeOn}.`
          }
    case "SubscriptionResumed":
      return {
        korean: `정기배송이 다시 시작되었습니다. 다음 결제일은 ${event.nextDueDate}입니다.`,
        english: `Your subscription goes on. The next payment is on ${event.nextDueDate}.`
      }
    case "SubscriptionChanged":
      return {
        korean: `정기배송이 변경되었습니다: ${event.quantity}개, ${event.period}일마다. 다음 결제일은 ${event.nextDueDate}입니다.`,
        english: `Your subscription was changed: ${event.quantity} every ${event.period} days. The next payment is on ${event.nextDueDate}.`
      }
    case "SubscriptionCancelled":
      return event.reason === "owner" || event.reason === "withdrawal"
        ? { korean: "정기배송이 해지되었습니다.", english: "Your subscription was cancelled." }
        : {
            korean: "결제가 되지 않아 정기배송이 해지되었습니다.",
            english: "Your subscription was cancelled because it could not be charged."
          }
    case "BillingKeyActivated":
      return { korean: "결제 수단이 등록되었습니다.", english: "Your way to pay was registered." }
    case "BillingKeyReplaced":
      return { korean: "결제 수단이 변경되었습니다.", english: "Your way to pay was changed." }
    case "BillingKeyRevoked":
      return {
        korean: "결제 수단이 해지되었습니다. 다시 등록해 주세요.",
        english: "Your way to pay was revoked. Please register another one."
      }
    case "RefundRequested":
      return {
        korean: `환불 ${won(event.amount)}원을 접수했습니다.`,
        english: `Your refund of ${won(event.amount)} won was taken in.`
      }
    case "RefundCompleted":
      return {
        korean: `${won(event.amount)}원이 환불되었습니다.`,
        english: `${won(event.amount)} won were refunded.`
      }
    case "RefundRejected":
      return {
        korean: "환불이 거절되었습니다. 고객센터로 문의해 주세요.",
        english: "Your refund was refused. Please contact us."
      }
    case "BillingKeyRegistrationRequested":
      return {
        korean: "정기배송을 이어 가려면 결제 수단을 등록해 주세요.",
        english: "Please register a way to pay, so that your subscription can go on."
      }
    case "BillingKeyUnused":
    case "BillingKeyFrozen":
    case "PaymentNeedsReview":
    case "ReviewWritten":
    case "ReviewEdited":
    case "ReviewRemoved":
    case "UserWithdrawn":
      return null
  }
}
