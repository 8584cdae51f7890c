/**
 * The page a customer sees at the redirect URL: a phone-sized checkout in plain HTML, usable by keyboard and without script.
 *
 * @since 0.1.0
 */
import type * as Store from "../Store.ts"

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const escapeHtml = (value: string): string => value.replace(/[&<>"']/g, (character) => escapes[character] ?? "")

const won = (amount: number): string => `${String(amount).replace(/\B(?=(\d{3})+$)/g, ",")}원`

const style = `
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;background:#eceef1;color:#191919;font:16px/1.5 system-ui,"Apple SD Gothic Neo","Noto Sans KR",sans-serif;display:grid;place-items:center}
main{width:min(100%,390px);min-height:min(100vh,740px);background:#fff;display:flex;flex-direction:column;padding:24px 20px;border-radius:24px;box-shadow:0 8px 32px #0002}
header{font-weight:700;font-size:14px;color:#5a5a5a}
header b{background:#ffeb00;color:#191919;border-radius:6px;padding:2px 8px;margin-right:6px}
h1{font-size:20px;margin:28px 0 4px}
.amount{font-size:34px;font-weight:800;margin:0 0 20px}
dl{display:grid;grid-template-columns:auto 1fr;gap:6px 16px;margin:0 0 20px;font-size:14px}
dt{color:#6b6b6b}dd{margin:0;text-align:right;overflow-wrap:anywhere}
fieldset{border:1px solid #dcdfe3;border-radius:12px;margin:0 0 20px;padding:8px 14px}
legend{font-size:13px;color:#6b6b6b;padding:0 4px}
label{display:block;padding:8px 0}
.push{margin-top:auto}
button{display:block;width:100%;font:inherit;font-weight:600;border:0;border-radius:12px;padding:14px;margin-top:10px;background:#f1f3f5;color:#191919;cursor:pointer}
button.primary{background:#ffeb00;font-weight:800}
button:focus-visible,input:focus-visible{outline:3px solid #1d4ed8;outline-offset:2px}
small{display:block;margin-top:16px;color:#6b6b6b;text-align:center}
`

const page = (title: string, body: string): string =>
  `<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header><b>pay</b>결제 시뮬레이터</header>
${body}
</main>
</body>
</html>
`

/** The checkout. */
export const checkout = (payment: Store.Payment, path: string): string => {
  const isSubscription = payment.window?.kind === "subscription"
  const title = isSubscription ? "정기결제 등록" : "결제하기"
  const fixed = payment.method
  const choice = (method: Store.PaymentMethod, label: string, checked: boolean) =>
    fixed !== null && fixed !== method
      ? ""
      : `<label><input type="radio" name="method" value="${method}"${checked ? " checked" : ""}> ${label}</label>`
  const button = (action: string, label: string, primary = false) =>
    `<button type="submit" formaction="${escapeHtml(path)}/${action}"${primary ? ' class="primary" autofocus' : ""}>${label}</button>`
  return page(
    title,
    `<h1>${escapeHtml(payment.itemName ?? "")}</h1>
<p class="amount">${won(payment.amount.total)}</p>
<dl>
<dt>주문번호</dt><dd>${escapeHtml(payment.partnerOrderId)}</dd>
<dt>수량</dt><dd>${payment.quantity}개</dd>
<dt>부가세</dt><dd>${won(payment.amount.vat)}</dd>
</dl>
<form method="post" action="${escapeHtml(path)}/approve">
<fieldset><legend>결제수단</legend>
${choice("MONEY", "페이머니", fixed !== "CARD")}
${choice("CARD", "신용·체크카드", fixed === "CARD")}
</fieldset>
<div class="push">
${button("approve", isSubscription ? "동의하고 등록하기" : "결제하기", true)}
${button("cancel", "취소")}
${button("fail", "비밀번호 틀리기 (실패)")}
${button("abandon", "창 닫기 (이탈)")}
</div>
</form>
<small>시뮬레이터입니다. 실제 돈은 움직이지 않습니다.</small>`
  )
}

/** A page without a way on. */
export const notice = (title: string, text: string): string =>
  page(title, `<h1>${escapeHtml(title)}</h1>\n<p>${escapeHtml(text)}</p>`)
