/**
 * Every way in which a request can be refused, in one place: its status, its stable code and what people are told.
 *
 * The key is the tag of an error of the application or the domain; keys that end in `Request` are refusals of HTTP itself.
 * Codes are part of the contract: they are added to, never renamed.
 *
 * @since 0.1.0
 */

/** One row of the catalogue. */
export interface Entry {
  readonly status: number
  readonly code: string
  readonly english: string
  readonly korean: string
}

/** The catalogue, by error tag. */
export const catalogue = {
  // what was sent
  InvalidRequest: {
    status: 400,
    code: "VALIDATION_FAILED",
    english: "The request does not have the expected form.",
    korean: "요청 형식이 올바르지 않습니다."
  },
  SignUpInvalid: {
    status: 422,
    code: "SIGN_UP_INVALID",
    english: "Some of the details do not follow the rules.",
    korean: "입력하신 정보 중 규칙에 맞지 않는 항목이 있습니다."
  },
  CartFull: {
    status: 422,
    code: "CART_FULL",
    english: "The cart cannot hold more items.",
    korean: "장바구니에 더 이상 상품을 담을 수 없습니다."
  },
  CartQuantityExceeded: {
    status: 422,
    code: "QUANTITY_EXCEEDED",
    english: "That is more of one item than one line may hold.",
    korean: "한 번에 담을 수 있는 수량을 넘었습니다."
  },
  CartPeriodInvalid: {
    status: 422,
    code: "PERIOD_INVALID",
    english: "A subscription needs a delivery period, and nothing else has one.",
    korean: "배송 주기는 정기배송 상품에만, 그리고 반드시 필요합니다."
  },
  WonOutOfRange: {
    status: 422,
    code: "AMOUNT_OUT_OF_RANGE",
    english: "The amount is too large.",
    korean: "금액이 너무 큽니다."
  },
  OrderLinesInvalid: {
    status: 422,
    code: "ORDER_LINES_INVALID",
    english: "This cannot be ordered as it is.",
    korean: "주문할 상품을 다시 확인해 주세요."
  },
  OrderLineRepeated: {
    status: 422,
    code: "ORDER_LINE_REPEATED",
    english: "The same item is in the order twice.",
    korean: "같은 상품이 주문에 두 번 들어 있습니다."
  },
  ItemsVanished: {
    status: 422,
    code: "ITEMS_VANISHED",
    english: "Some items are not sold any more.",
    korean: "더 이상 판매하지 않는 상품이 있습니다."
  },
  PostponeInvalid: {
    status: 422,
    code: "POSTPONE_INVALID",
    english: "The delivery cannot be moved that far.",
    korean: "배송일을 그만큼 미룰 수 없습니다."
  },
  PauseInvalid: {
    status: 422,
    code: "PAUSE_INVALID",
    english: "A pause must end between tomorrow and a year from now.",
    korean: "일시 중지는 내일부터 1년 이내의 날짜까지만 가능합니다."
  },
  SkipLimitReached: {
    status: 422,
    code: "SKIP_LIMIT_REACHED",
    english: "No more deliveries in a row can be skipped.",
    korean: "더 이상 연속으로 건너뛸 수 없습니다."
  },
  RefundLinesInvalid: {
    status: 422,
    code: "REFUND_LINES_INVALID",
    english: "These units cannot be refunded.",
    korean: "환불할 수 없는 상품이나 수량입니다."
  },
  RefundNotAvailable: {
    status: 422,
    code: "REFUND_NOT_AVAILABLE",
    english: "Less money is left than this refund asks for.",
    korean: "환불 가능한 금액을 넘었습니다."
  },
  RatingOutOfRange: {
    status: 422,
    code: "RATING_OUT_OF_RANGE",
    english: "A review gives one to five whole stars.",
    korean: "별점은 1점부터 5점까지 1점 단위로 줄 수 있습니다."
  },
  ReviewContentInvalid: {
    status: 422,
    code: "REVIEW_CONTENT_INVALID",
    english: "The text of the review is blank, too long or has characters that cannot be shown.",
    korean: "후기 내용이 비어 있거나, 너무 길거나, 표시할 수 없는 문자가 들어 있습니다."
  },
  ReviewNotPurchased: {
    status: 422,
    code: "REVIEW_NOT_PURCHASED",
    english: "Only an item that was paid for and not given back can be reviewed.",
    korean: "결제하고 환불하지 않은 상품에만 후기를 쓸 수 있습니다."
  },
  ImportTooLong: {
    status: 422,
    code: "IMPORT_TOO_LONG",
    english: "The file has too many lines. What came before was imported.",
    korean: "파일의 줄 수가 너무 많습니다. 앞부분까지만 등록되었습니다."
  },
  FileUnreadable: {
    status: 422,
    code: "FILE_UNREADABLE",
    english: "The file cannot be read to its end. What came before was imported.",
    korean: "파일을 끝까지 읽을 수 없습니다. 앞부분까지만 등록되었습니다."
  },
  WebhookUrlRefused: {
    status: 422,
    code: "WEBHOOK_URL_REFUSED",
    english: "Events are not sent to that address.",
    korean: "이 주소로는 이벤트를 보낼 수 없습니다."
  },
  TooManyEndpoints: {
    status: 422,
    code: "TOO_MANY_WEBHOOKS",
    english: "There are as many webhook endpoints as there may be.",
    korean: "웹훅을 더 등록할 수 없습니다."
  },
  // who sent it
  UnauthenticatedRequest: {
    status: 401,
    code: "UNAUTHENTICATED",
    english: "Log in first.",
    korean: "로그인이 필요합니다."
  },
  TokenRejected: {
    status: 401,
    code: "TOKEN_REJECTED",
    english: "The access token is not valid any more. Log in again.",
    korean: "로그인이 만료되었거나 올바르지 않습니다. 다시 로그인해 주세요."
  },
  UserGone: {
    status: 401,
    code: "USER_GONE",
    english: "There is no such user any more.",
    korean: "탈퇴했거나 존재하지 않는 회원입니다."
  },
  LogInRejected: {
    status: 401,
    code: "LOG_IN_REJECTED",
    english: "The e-mail or the password is wrong.",
    korean: "이메일 또는 비밀번호가 올바르지 않습니다."
  },
  RefreshRejected: {
    status: 401,
    code: "REFRESH_REJECTED",
    english: "You are not logged in any more. Log in again.",
    korean: "로그인이 만료되었습니다. 다시 로그인해 주세요."
  },
  SocialLogInRejected: {
    status: 401,
    code: "SOCIAL_LOG_IN_REJECTED",
    english: "The log-in was not confirmed. Begin again.",
    korean: "간편 로그인이 완료되지 않았습니다. 다시 시도해 주세요."
  },
  RegistrationRejected: {
    status: 401,
    code: "REGISTRATION_REJECTED",
    english: "The registration is over. Begin again.",
    korean: "가입 시간이 지났습니다. 다시 시도해 주세요."
  },
  SocialProviderUnknown: {
    status: 404,
    code: "SOCIAL_PROVIDER_UNKNOWN",
    english: "Logging in with this service is not offered.",
    korean: "지원하지 않는 간편 로그인입니다."
  },
  SocialAccountTaken: {
    status: 409,
    code: "SOCIAL_ACCOUNT_TAKEN",
    english: "This account logs in another user.",
    korean: "이미 다른 회원에 연결된 계정입니다."
  },
  SocialUnavailable: {
    status: 503,
    code: "SOCIAL_UNAVAILABLE",
    english: "The other service does not answer. Try again a little later.",
    korean: "간편 로그인 서비스가 응답하지 않습니다. 잠시 후 다시 시도해 주세요."
  },
  PasswordRejected: {
    status: 422,
    code: "PASSWORD_REJECTED",
    english: "The current password is wrong.",
    korean: "현재 비밀번호가 올바르지 않습니다."
  },
  LogInThrottled: {
    status: 429,
    code: "LOG_IN_THROTTLED",
    english: "Too many tries. Wait a while and try again.",
    korean: "로그인 시도가 너무 많습니다. 잠시 후 다시 시도해 주세요."
  },
  RateLimitedRequest: {
    status: 429,
    code: "RATE_LIMITED",
    english: "Too many requests. Wait a while and try again.",
    korean: "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요."
  },
  ServiceTokenRejected: {
    status: 401,
    code: "SERVICE_TOKEN_REJECTED",
    english: "The service token is missing or wrong.",
    korean: "서비스 토큰이 없거나 올바르지 않습니다."
  },
  AdminOnlyRequest: {
    status: 403,
    code: "ADMIN_ONLY",
    english: "Only those who run the shop may do this.",
    korean: "관리자만 사용할 수 있습니다."
  },
  AddressNotAllowedRequest: {
    status: 403,
    code: "ADDRESS_NOT_ALLOWED",
    english: "Requests from this address are not accepted.",
    korean: "허용되지 않은 주소에서 보낸 요청입니다."
  },
  // what is not there
  RouteNotFoundRequest: {
    status: 404,
    code: "ROUTE_NOT_FOUND",
    english: "There is nothing at this address.",
    korean: "존재하지 않는 주소입니다."
  },
  SandboxDisabledRequest: {
    status: 404,
    code: "SANDBOX_DISABLED",
    english: "The sandbox is only there in embedded mode.",
    korean: "샌드박스는 내장 모드에서만 사용할 수 있습니다."
  },
  WebhookEndpointNotFound: {
    status: 404,
    code: "WEBHOOK_NOT_FOUND",
    english: "There is no such webhook endpoint.",
    korean: "웹훅을 찾을 수 없습니다."
  },
  ItemNotFound: {
    status: 404,
    code: "ITEM_NOT_FOUND",
    english: "There is no such item.",
    korean: "상품을 찾을 수 없습니다."
  },
  CartLineNotFound: {
    status: 404,
    code: "CART_LINE_NOT_FOUND",
    english: "The item is not in the cart.",
    korean: "장바구니에 없는 상품입니다."
  },
  OrderNotFound: {
    status: 404,
    code: "ORDER_NOT_FOUND",
    english: "There is no such order.",
    korean: "주문을 찾을 수 없습니다."
  },
  PaymentNotFound: {
    status: 404,
    code: "PAYMENT_NOT_FOUND",
    english: "There is no such payment.",
    korean: "결제를 찾을 수 없습니다."
  },
  NotificationNotFound: {
    status: 404,
    code: "NOTIFICATION_NOT_FOUND",
    english: "There is no such notification.",
    korean: "알림을 찾을 수 없습니다."
  },
  SubscriptionNotFound: {
    status: 404,
    code: "SUBSCRIPTION_NOT_FOUND",
    english: "There is no such subscription.",
    korean: "정기배송을 찾을 수 없습니다."
  },
  ReviewNotFound: {
    status: 404,
    code: "REVIEW_NOT_FOUND",
    english: "There is no such review.",
    korean: "후기를 찾을 수 없습니다."
  },
  CycleNotCharged: {
    status: 404,
    code: "CYCLE_NOT_CHARGED",
    english: "This delivery was not charged.",
    korean: "결제되지 않은 회차입니다."
  },
  // what cannot be done now
  UserExists: {
    status: 409,
    code: "USER_EXISTS",
    english: "Somebody has this already.",
    korean: "이미 사용 중인 정보입니다."
  },
  OrderTransitionDenied: {
    status: 409,
    code: "ORDER_STATE_CONFLICT",
    english: "The order is not in a state for this.",
    korean: "현재 주문 상태에서는 할 수 없는 요청입니다."
  },
  OrderNotPayable: {
    status: 409,
    code: "ORDER_NOT_PAYABLE",
    english: "The order cannot be paid any more.",
    korean: "결제할 수 없는 주문입니다."
  },
  PaymentNotRefundable: {
    status: 409,
    code: "PAYMENT_NOT_REFUNDABLE",
    english: "The payment cannot be refunded now.",
    korean: "지금은 환불할 수 없는 결제입니다."
  },
  PaymentInProgress: {
    status: 409,
    code: "PAYMENT_IN_PROGRESS",
    english: "A payment is being made. Ask again in a moment.",
    korean: "결제가 처리되고 있습니다. 잠시 후 다시 확인해 주세요."
  },
  BillingKeyNotWanted: {
    status: 409,
    code: "BILLING_KEY_NOT_WANTED",
    english: "This subscription waits for no billing key.",
    korean: "결제 수단을 등록할 수 있는 정기배송이 아닙니다."
  },
  PaymentOver: {
    status: 409,
    code: "PAYMENT_OVER",
    english: "This way to pay is over. Request a new payment.",
    korean: "만료되었거나 취소된 결제입니다. 결제를 다시 요청해 주세요."
  },
  StaleWrite: {
    status: 409,
    code: "CHANGED_MEANWHILE",
    english: "Somebody changed this at the same time. Try again.",
    korean: "다른 요청이 먼저 처리되었습니다. 다시 시도해 주세요."
  },
  SubscriptionTransitionDenied: {
    status: 409,
    code: "SUBSCRIPTION_STATE",
    english: "The state of the subscription does not allow this.",
    korean: "현재 정기배송 상태에서는 할 수 없습니다."
  },
  CycleTransitionDenied: {
    status: 409,
    code: "DELIVERY_STATE",
    english: "The state of the next delivery does not allow this.",
    korean: "현재 다음 배송 상태에서는 할 수 없습니다."
  },
  DuplicateReview: {
    status: 409,
    code: "REVIEW_EXISTS",
    english: "You have reviewed this item already. Edit that review instead.",
    korean: "이미 후기를 쓴 상품입니다. 기존 후기를 수정해 주세요."
  },
  ChargeInFlight: {
    status: 409,
    code: "CHARGE_IN_FLIGHT",
    english: "This charge is being made. Ask again in a moment.",
    korean: "결제가 진행 중입니다. 잠시 후 다시 확인해 주세요."
  },
  RequestKeyReused: {
    status: 422,
    code: "IDEMPOTENCY_KEY_REUSED",
    english: "This idempotency key was used for another request.",
    korean: "이미 다른 요청에 사용된 멱등키입니다."
  },
  ClockIsFixed: {
    status: 409,
    code: "CLOCK_IS_FIXED",
    english: "The clock of this server cannot be moved.",
    korean: "이 서버의 시계는 옮길 수 없습니다."
  },
  AnotherRunActive: {
    status: 409,
    code: "ANOTHER_RUN_ACTIVE",
    english: "A billing run for another date is going on.",
    korean: "다른 날짜의 정기결제 작업이 진행 중입니다."
  },
  ApprovalNotAccepted: {
    status: 422,
    code: "APPROVAL_NOT_ACCEPTED",
    english: "The provider did not accept this approval.",
    korean: "결제사가 승인을 확인하지 못했습니다."
  },
  PaymentDeclined: {
    status: 422,
    code: "PAYMENT_DECLINED",
    english: "The payment was declined.",
    korean: "결제가 거절되었습니다."
  },
  // HTTP itself
  MethodNotAllowedRequest: {
    status: 405,
    code: "METHOD_NOT_ALLOWED",
    english: "This address does not take that method.",
    korean: "이 주소에서 지원하지 않는 요청 방식입니다."
  },
  BodyTooLargeRequest: {
    status: 413,
    code: "BODY_TOO_LARGE",
    english: "The body is too large.",
    korean: "요청 본문이 너무 큽니다."
  },
  MediaTypeUnsupportedRequest: {
    status: 415,
    code: "MEDIA_TYPE_UNSUPPORTED",
    english: "Send the body as application/json.",
    korean: "요청 본문은 application/json 형식이어야 합니다."
  },
  // what is wrong with us
  InternalErrorRequest: {
    status: 500,
    code: "INTERNAL_ERROR",
    english: "Something went wrong on our side.",
    korean: "서버에서 오류가 발생했습니다."
  },
  StorageError: {
    status: 503,
    code: "STORAGE_UNAVAILABLE",
    english: "The shop cannot reach its data. Try again in a moment.",
    korean: "일시적으로 서비스를 이용할 수 없습니다. 잠시 후 다시 시도해 주세요."
  },
  ProviderUnavailable: {
    status: 503,
    code: "PROVIDER_UNAVAILABLE",
    english: "The payment provider cannot be reached. Nothing was paid; try again in a moment.",
    korean: "결제사에 연결할 수 없습니다. 결제되지 않았으니 잠시 후 다시 시도해 주세요."
  },
  TookTooLongRequest: {
    status: 503,
    code: "TOOK_TOO_LONG",
    english: "The request took too long and was given up. Look at how things stand before you repeat it.",
    korean: "요청이 너무 오래 걸려 중단되었습니다. 처리 상태를 확인한 뒤 다시 시도해 주세요."
  },
  NotReadyRequest: {
    status: 503,
    code: "NOT_READY",
    english: "The server is not ready.",
    korean: "서버가 준비되지 않았습니다."
  }
} as const satisfies Record<string, Entry>

/** The tag of an error that may reach a client. */
export type Tag = keyof typeof catalogue
/** A status that some entry has. */
export type Status = (typeof catalogue)[Tag]["status"]
/** The status of an error. */
export type StatusOf<T extends Tag> = (typeof catalogue)[T]["status"]
/** The codes that a status comes with. */
export type CodeOf<S extends Status> = Extract<(typeof catalogue)[Tag], { readonly status: S }>["code"]

/** The codes that a status comes with, in the catalogue's order. */
export const codesOf = <S extends Status>(status: S): ReadonlyArray<CodeOf<S>> =>
  Object.values(catalogue)
    .filter((entry) => entry.status === status)
    .map((entry) => entry.code as CodeOf<S>)

/** The address that names a kind of problem; a name, not a place to fetch. */
export const typeOf = (code: string): string => `urn:pillivery:problem:${code.toLowerCase().replaceAll("_", "-")}`
