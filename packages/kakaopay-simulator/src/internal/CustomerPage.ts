/**
 * The page a customer sees at the redirect URL: a phone-sized checkout in plain HTML and CSS, and the notices where there
 * is nothing to pay.
 *
 * No script, no image and nothing from elsewhere: it works in every browser, by mouse, finger or keyboard alone. Everything
 * that came from the merchant is escaped. The Korean text is the customer's; the English hints are for the developer.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as KoreanTime from "./KoreanTime.ts"
import type { PaymentStatus } from "../PaymentStatus.ts"
import type * as Store from "../Store.ts"

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const escapeHtml = (value: string): string => value.replace(/[&<>"']/g, (character) => escapes[character] ?? "")

/** Text of the merchant's, kept from turning the text around it when it is written from right to left. */
const foreign = (value: string): string => `<bdi>${escapeHtml(value)}</bdi>`

const english = (text: string): string => `<span class="hint" lang="en">${escapeHtml(text)}</span>`

const won = (amount: number): string => `${String(amount).replace(/\B(?=(\d{3})+$)/g, ",")}원`

const deadline = ({ window }: Store.Payment): string =>
  window === null ? "" : KoreanTime.stamp(window.expiresAt).slice(11, 16)

const style = `
:root{color-scheme:light dark;--page:#eef0f4;--card:#fff;--ink:#1b1d22;--muted:#5a606c;--line:#d3d7de;--soft:#f3f4f7;--key:#ffdb2e;--on-key:#1b1d22;--focus:#1d4ed8}
@media (prefers-color-scheme:dark){:root{--page:#101216;--card:#1b1e24;--ink:#f2f3f5;--muted:#a9afba;--line:#434955;--soft:#282c34;--focus:#8ab4ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;background:var(--page);color:var(--ink);font:16px/1.5 "Apple SD Gothic Neo","Noto Sans KR","Noto Sans CJK KR","Malgun Gothic",system-ui,sans-serif;word-break:keep-all;overflow-wrap:anywhere;display:grid}
main{width:100%;background:var(--card);padding:16px 20px 20px}
header{display:flex;justify-content:space-between;gap:12px;font-size:13px;color:var(--muted)}
header b{color:var(--ink)}
h1{font-size:18px;line-height:1.4;margin:16px 0 4px}
h2{font-size:14px;margin:0 0 4px}
p{margin:8px 0}
.amount{font-size:34px;line-height:1.2;font-weight:700;letter-spacing:-.02em;margin:0 0 12px;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:0;font-size:14px}
dt{color:var(--muted)}
dd{margin:0;text-align:right}
.terms{background:var(--soft);border-radius:12px;padding:12px 14px;margin-top:14px;font-size:14px}
.terms ul{margin:0;padding-left:18px}
fieldset{border:0;margin:14px 0 0;padding:0;min-width:0}
legend{padding:0;font-size:14px;font-weight:700}
.method{display:flex;align-items:center;gap:12px;min-height:48px;padding:6px 14px;margin-top:6px;border:1px solid var(--line);border-radius:12px;cursor:pointer}
.method:has(:checked){border-color:var(--ink);box-shadow:0 0 0 1px var(--ink)}
.method input{width:20px;height:20px;margin:0;flex:none;accent-color:var(--ink)}
.hint{display:block;font-size:12px;line-height:1.4;font-weight:400;color:var(--muted)}
button{display:block;width:100%;min-height:48px;padding:6px 12px;margin-top:8px;font:inherit;font-weight:700;line-height:1.3;color:var(--ink);background:var(--soft);border:1px solid var(--line);border-radius:12px;cursor:pointer}
button.approve{min-height:56px;margin-top:16px;font-size:17px;color:var(--on-key);background:var(--key);border-color:var(--key)}
button.approve .hint{color:inherit}
.tests{display:grid;grid-template-columns:1fr 1fr;gap:0 8px}
summary{min-height:44px;margin-top:8px;padding:10px 0;font-size:14px;font-weight:700;cursor:pointer}
details dl{display:block;font-size:13px}
details dd{text-align:left;margin-bottom:6px}
code{font:13px/1.4 ui-monospace,Menlo,Consolas,monospace}
button:focus-visible,summary:focus-visible,.method:has(:focus-visible){outline:3px solid var(--focus);outline-offset:2px}
.method input:focus-visible{outline:none}
.notice{padding-top:24px}
.notice h1{font-size:22px}
@media (prefers-reduced-motion:no-preference){button,.method{transition:filter .15s}button:active,.method:active{filter:brightness(.94)}}
@media (min-width:480px){body{place-items:center;padding:24px}main{max-width:420px;border-radius:20px;padding:20px 28px 28px;box-shadow:0 8px 32px #0003}}
@media (min-width:840px){main.checkout{max-width:860px;display:grid;grid-template-columns:1fr 1fr;column-gap:48px;align-items:start}.checkout header,.checkout details{grid-column:1/-1}.checkout form fieldset:first-child{margin-top:16px}}
`

const styleHash = createHash("sha256").update(style).digest("base64")

/**
 * What the browser may do with these pages: apply this one style sheet and send the form.
 *
 * There is no `form-action` on purpose. Browsers hold it against every redirect that follows the form, and where a
 * merchant sends the customer after its own `approval_url` is not known here.
 */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; frame-ancestors 'none'`

const page = (title: string, kind: "checkout" | "notice", body: string): string =>
  `<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · 결제 시뮬레이터</title>
<style>${style}</style>
</head>
<body>
<main class="${kind}">
<header><b>결제 시뮬레이터</b><span>실제 돈은 움직이지 않습니다</span></header>
${body}
</main>
</body>
</html>
`

const row = (name: string, value: string): string => `<dt>${name}</dt><dd>${value}</dd>\n`

const rowUnlessZero = (name: string, amount: number): string => (amount === 0 ? "" : row(name, won(amount)))

const methods: Readonly<Record<Store.PaymentMethod, { readonly label: string; readonly hint: string }>> = {
  MONEY: { label: "선불 머니", hint: "MONEY: prepaid balance" },
  CARD: { label: "신용·체크카드", hint: "CARD: paid at once, no instalments" }
}

/** What the merchant fixed is all there is to choose from. */
const choices = (payment: Store.Payment, preferred: Store.PaymentMethod): string =>
  (["MONEY", "CARD"] as const)
    .filter((method) => payment.method === null || payment.method === method)
    .map((method) => {
      const { hint, label } = methods[method]
      const checked = method === (payment.method ?? preferred) ? " checked" : ""
      return `<label class="method"><input type="radio" name="method" value="${method}"${checked}><span>${label}${english(hint)}</span></label>`
    })
    .join("\n")

const terms = (amount: number): string => `<section class="terms">
<h2>정기결제 동의</h2>
<ul>
<li>${amount === 0 ? "오늘은 결제하지 않고 결제수단만 등록합니다." : `오늘 ${won(amount)}을 결제하고 결제수단을 등록합니다.`}</li>
<li>다음부터는 가맹점과 약속한 날에 이 결제수단으로 자동 결제됩니다.</li>
<li>언제든지 해지할 수 있습니다.</li>
</ul>
${english("Issues a billing key (sid) that the merchant may charge without the customer.")}
</section>`

interface Words {
  readonly title: string
  readonly amount: string
  readonly approve: string
}

const wordsOf = (kind: Store.Window["kind"], amount: number): Words => {
  if (kind === "one-time") return { title: "결제하기", amount: "결제금액", approve: `${won(amount)} 결제하기` }
  return amount === 0
    ? { title: "정기결제 등록하기", amount: "오늘 결제금액", approve: "동의하고 등록하기" }
    : { title: "정기결제 시작하기", amount: "오늘 결제금액", approve: `동의하고 ${won(amount)} 결제하기` }
}

/** The checkout. Its buttons are relative to the page, so that it may be mounted anywhere. */
export const checkout = (payment: Store.Payment, window: Store.Window, preferred: Store.PaymentMethod): string => {
  const { amount } = payment
  const words = wordsOf(window.kind, amount.total)
  const button = (action: string, label: string, hint: string) =>
    `<button type="submit" class="${action}" formaction="${window.hash}/${action}">${label}${english(hint)}</button>`
  const forDeveloper = (name: string, value: string) => row(name, `<code dir="ltr">${escapeHtml(value)}</code>`)
  return page(
    words.title,
    "checkout",
    `<div>
<h1>${words.title}</h1>
<p class="amount"><span class="hint">${words.amount}</span>${won(amount.total)}</p>
<dl>
${row("상품", foreign(payment.itemName ?? ""))}${row("수량", `${payment.quantity}개`)}${row("주문번호", foreign(payment.partnerOrderId))}${rowUnlessZero("부가세 포함", amount.vat)}${rowUnlessZero("면세금액", amount.tax_free)}${rowUnlessZero("컵 보증금", amount.green_deposit)}${row("결제 기한", `${deadline(payment)}까지`)}</dl>
${window.kind === "subscription" ? terms(amount.total) : ""}
</div>
<form method="post" action="${window.hash}/approve">
<fieldset>
<legend>결제수단</legend>
${choices(payment, preferred)}
</fieldset>
${button("approve", words.approve, "Approve: to approval_url with pg_token")}
${button("cancel", "결제 취소", "Cancel: to cancel_url")}
<fieldset class="tests">
<legend>시험하기</legend>
${button("fail", "인증 실패", "Fail: to fail_url")}
${button("abandon", "창 닫기", "Abandon: stays here")}
</fieldset>
</form>
<details>
<summary>개발자 정보 <span lang="en">For developers</span></summary>
<dl>
${forDeveloper("tid", payment.tid)}${forDeveloper("cid", payment.cid)}${forDeveloper("approval_url", window.approvalUrl)}${forDeveloper("cancel_url", window.cancelUrl)}${forDeveloper("fail_url", window.failUrl)}</dl>
</details>`
  )
}

/** A page without a way on: what happened, what the customer can do, and what it means for the developer. */
export interface Notice {
  readonly title: string
  readonly text: string
  readonly hint: string
}

/** Shows a notice. */
export const notice = ({ hint, text, title }: Notice): string =>
  page(title, "notice", `<h1>${title}</h1>\n<p>${text}</p>\n${english(hint)}`)

/** There is no such payment. */
export const unknownPayment: Notice = {
  title: "결제를 찾을 수 없습니다",
  text: "주소를 확인하거나 가맹점에서 다시 결제해 주세요.",
  hint: "No payment has this address. A simulator that was restarted or reset has forgotten all of them."
}

/** The window has closed. */
export const expired: Notice = {
  title: "결제 시간이 지났습니다",
  text: "가맹점에서 처음부터 다시 결제해 주세요.",
  hint: "The window closed 15 minutes after ready. The merchant's approve is answered with -723."
}

/** The form cannot be read. */
export const unreadable: Notice = {
  title: "요청을 처리할 수 없습니다",
  text: "앞 화면으로 돌아가 다시 시도해 주세요.",
  hint: "The body of the form is too long or was cut off."
}

/** The customer left without a decision. */
export const abandoned = (payment: Store.Payment): Notice => ({
  title: "결제창을 닫았습니다",
  text: "결제는 진행되지 않았습니다.",
  hint: `The merchant is told nothing. The payment stays ${payment.status} and its window open until ${deadline(payment)} in Korea.`
})

const finished = { title: "이미 끝난 결제입니다", text: "가맹점에서 결제 결과를 확인해 주세요." }

const texts: Readonly<Partial<Record<PaymentStatus, Pick<Notice, "title" | "text">>>> = {
  AUTH_PASSWORD: { title: "이미 인증한 결제입니다", text: "가맹점에서 결제 결과를 확인해 주세요." },
  QUIT_PAYMENT: { title: "취소한 결제입니다", text: "결제하려면 가맹점에서 다시 시작해 주세요." },
  FAIL_AUTH_PASSWORD: { title: "인증에 실패한 결제입니다", text: "결제하려면 가맹점에서 다시 시작해 주세요." },
  FAIL_PAYMENT: { title: "승인되지 않은 결제입니다", text: "결제하려면 가맹점에서 다시 시작해 주세요." }
}

/** The customer has decided before. */
export const decided = ({ status }: Store.Payment): Notice => ({
  ...(texts[status] ?? finished),
  hint: `The payment is ${status}: the customer decides only once.`
})
