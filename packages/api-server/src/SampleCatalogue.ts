/**
 * A catalogue to try the shop with: health supplements as they are sold in Korea, of brands that do not exist.
 *
 * The texts are worded as labels are, so that categories are classified from them as they would be for real products.
 * Ids are fixed: an order of yesterday's demo still names the same item today.
 *
 * @since 0.1.0
 */
import { ItemId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import { Rate } from "@pillivery/domain/Rate"
import { Won } from "@pillivery/domain/Won"

/** What a product is made as, and what follows for its label. */
interface Form {
  readonly appearance: string
  readonly servingUse: string
  readonly distributionPeriod: string
  readonly preservePeriod: string
}

const cool = "직사광선을 피하고 서늘하고 건조한 곳에 보관하십시오."

const forms = {
  tablet: {
    appearance: "고유의 향미가 있고 이미·이취가 없는 미황색의 타원형 정제",
    servingUse: "1일 1회, 1회 1정을 충분한 물과 함께 섭취하십시오.",
    distributionPeriod: "제조일로부터 24개월",
    preservePeriod: `${cool} 어린이의 손이 닿지 않는 곳에 두십시오.`
  },
  capsule: {
    appearance: "고유의 향미가 있고 이미·이취가 없는 백색 분말이 담긴 투명 경질캡슐",
    servingUse: "1일 1회, 1회 1캡슐을 식후에 물과 함께 섭취하십시오.",
    distributionPeriod: "제조일로부터 24개월",
    preservePeriod: cool
  },
  softgel: {
    appearance: "고유의 색택과 향미가 있는 유상물이 담긴 타원형 연질캡슐",
    servingUse: "1일 1회, 1회 1캡슐을 식사 직후에 물과 함께 섭취하십시오.",
    distributionPeriod: "제조일로부터 36개월",
    preservePeriod: "고온을 피하고 25℃ 이하의 실온에 보관하십시오."
  },
  powder: {
    appearance: "고유의 향미가 있고 이미·이취가 없는 유백색의 고운 분말",
    servingUse: "1일 1회, 1회 1포를 그대로 또는 물에 타서 섭취하십시오.",
    distributionPeriod: "제조일로부터 18개월",
    preservePeriod: "습기를 피해 냉장(0~10℃) 또는 실온에 보관하십시오."
  },
  liquid: {
    appearance: "고유의 색택과 향미가 있는 갈색의 액상",
    servingUse: "1일 1회, 1회 1포를 잘 흔들어 섭취하십시오.",
    distributionPeriod: "제조일로부터 18개월",
    preservePeriod: "실온에 보관하고 개봉한 뒤에는 바로 섭취하십시오."
  },
  jelly: {
    appearance: "과일 향이 나고 이미·이취가 없는 반투명한 젤리",
    servingUse: "1일 1회, 1회 1포를 꼭꼭 씹어 섭취하십시오.",
    distributionPeriod: "제조일로부터 12개월",
    preservePeriod: cool
  }
} as const satisfies Record<string, Form>

/** What works in a product. */
interface Ingredient {
  readonly mainFunction: string
  readonly intake: string
  readonly baseStandard: string
}

const doctorFirst =
  "특이 체질, 알레르기 체질의 경우 성분을 확인한 후 섭취하고, 질환이 있거나 의약품을 복용하면 전문가와 상담하십시오."
const bloodThinner = "혈액 항응고제를 복용하거나 수술을 앞둔 사람은 전문가와 상담한 후 섭취하십시오."
const notForPregnant =
  "임산부와 수유부, 어린이는 섭취를 피하고, 이상사례가 나타나면 섭취를 중단하고 전문가와 상담하십시오."

const standardOf = (content: string) =>
  `1) 성상: 고유의 색택과 향미를 가지며 이미·이취가 없어야 함 2) ${content} 3) 납(mg/kg): 1.0 이하 4) 대장균군: 음성`

const ingredients = {
  lutein: {
    mainFunction: "노화로 인해 감소될 수 있는 황반색소밀도를 유지하여 눈 건강에 도움을 줄 수 있음",
    intake: "과다 섭취하면 일시적으로 피부가 황색으로 변할 수 있습니다.",
    baseStandard: standardOf("루테인: 표시량(20 mg)의 80~120 %")
  },
  bilberry: {
    mainFunction: "눈의 피로도 개선에 도움을 줄 수 있음",
    intake: bloodThinner,
    baseStandard: standardOf("안토시아노사이드: 표시량의 80~120 %")
  },
  astaxanthin: {
    mainFunction: "눈의 피로도 개선에 도움을 줄 수 있음, 항산화에 도움을 줄 수 있음",
    intake: doctorFirst,
    baseStandard: standardOf("아스타잔틴: 표시량(6 mg)의 80~120 %")
  },
  omega3: {
    mainFunction: "혈중 중성지질 개선·혈행 개선에 도움을 줄 수 있음, 건조한 눈을 개선하여 눈 건강에 도움을 줄 수 있음",
    intake: bloodThinner,
    baseStandard: standardOf("EPA와 DHA의 합: 표시량의 80~120 %")
  },
  vitaminA: {
    mainFunction: "어두운 곳에서 시각 적응을 위해 필요, 피부와 점막을 형성하고 기능을 유지하는 데 필요",
    intake: notForPregnant,
    baseStandard: standardOf("비타민 A: 표시량의 80~150 %")
  },
  calcium: {
    mainFunction: "뼈와 치아 형성에 필요, 신경과 근육 기능 유지에 필요, 골다공증 발생 위험 감소에 도움을 줌",
    intake: doctorFirst,
    baseStandard: standardOf("칼슘: 표시량의 80~150 %")
  },
  vitaminD: {
    mainFunction: "칼슘과 인이 흡수되고 이용되는 데 필요, 뼈의 형성과 유지에 필요, 골다공증 발생 위험 감소에 도움을 줌",
    intake: "고칼슘혈증이 있거나 의약품을 복용하면 전문가와 상담하십시오.",
    baseStandard: standardOf("비타민 D: 표시량의 80~180 %")
  },
  isoflavone: {
    mainFunction: "뼈 건강에 도움을 줄 수 있음",
    intake: "에스트로겐에 민감한 사람은 전문가와 상담한 후 섭취하십시오.",
    baseStandard: standardOf("대두이소플라본: 표시량의 80~120 %")
  },
  phosphatidylserine: {
    mainFunction: "두뇌 건강과 노화로 인해 저하된 인지력 개선에 도움을 줄 수 있음",
    intake: doctorFirst,
    baseStandard: standardOf("포스파티딜세린: 표시량(300 mg)의 80~120 %")
  },
  ginkgo: {
    mainFunction: "두뇌 건강을 위한 기억력 개선과 혈액순환에 도움을 줄 수 있음",
    intake: bloodThinner,
    baseStandard: standardOf("플라보놀 배당체: 표시량의 80~120 %")
  },
  dha: {
    mainFunction: "두뇌와 망막의 구성 성분인 DHA를 공급하여 기억력 개선에 도움을 줄 수 있음",
    intake: bloodThinner,
    baseStandard: standardOf("DHA: 표시량의 80~120 %")
  },
  probiotics: {
    mainFunction: "유산균 증식 및 유해균 억제, 배변활동 원활, 장 건강에 도움을 줄 수 있음",
    intake: "항생제와 함께 섭취하지 말고, 설사 등 이상사례가 나타나면 섭취를 중단하십시오.",
    baseStandard: standardOf("프로바이오틱스 수: 표시량(100억 CFU) 이상")
  },
  psyllium: {
    mainFunction: "배변활동 원활에 도움을 줄 수 있음, 혈중 콜레스테롤 개선에 도움을 줄 수 있음",
    intake: "반드시 충분한 물과 함께 섭취하십시오.",
    baseStandard: standardOf("식이섬유: 표시량의 80 % 이상")
  },
  aloe: {
    mainFunction: "장 건강에 도움을 줄 수 있음, 피부 건강에 도움을 줄 수 있음, 면역력 증진에 도움을 줄 수 있음",
    intake: doctorFirst,
    baseStandard: standardOf("총 다당체: 표시량의 80~120 %")
  },
  milkThistle: {
    mainFunction: "간 건강에 도움을 줄 수 있음",
    intake: "설사, 위통, 복부팽만 등의 위장관계 장애가 나타나면 섭취를 중단하십시오.",
    baseStandard: standardOf("실리마린: 표시량(130 mg)의 80~120 %")
  },
  raisinTree: {
    mainFunction: "알코올성 손상으로부터 간을 보호하는 데 도움을 줄 수 있음",
    intake: doctorFirst,
    baseStandard: standardOf("암펠롭신: 표시량의 80~120 %")
  },
  collagen: {
    mainFunction:
      "피부 보습에 도움을 줄 수 있음, 자외선에 의한 피부 손상으로부터 피부 건강을 유지하는 데 도움을 줄 수 있음",
    intake: "어류에 알레르기가 있는 사람은 성분을 확인한 후 섭취하십시오.",
    baseStandard: standardOf("Gly-Pro-Hyp: 표시량의 80~120 %")
  },
  hyaluronicAcid: {
    mainFunction: "피부 보습에 도움을 줄 수 있음",
    intake: doctorFirst,
    baseStandard: standardOf("히알루론산: 표시량(120 mg)의 80~120 %")
  },
  chlorella: {
    mainFunction: "피부 건강·항산화에 도움을 줄 수 있음, 면역력 증진에 도움을 줄 수 있음",
    intake: bloodThinner,
    baseStandard: standardOf("총 엽록소: 표시량의 80~120 %")
  },
  vitaminC: {
    mainFunction: "결합조직 형성과 기능 유지에 필요, 항산화 작용을 하여 유해산소로부터 세포를 보호하는 데 필요",
    intake: "공복에 섭취하면 속이 쓰릴 수 있으므로 식후에 섭취하십시오.",
    baseStandard: standardOf("비타민 C: 표시량의 80~150 %")
  },
  coenzymeQ10: {
    mainFunction: "항산화에 도움을 줄 수 있음, 높은 혈압 감소에 도움을 줄 수 있음",
    intake: doctorFirst,
    baseStandard: standardOf("코엔자임Q10: 표시량(100 mg)의 80~120 %")
  },
  propolis: {
    mainFunction: "항산화·구강에서의 항균작용에 도움을 줄 수 있음",
    intake: "프로폴리스에 알레르기가 있는 사람은 섭취를 피하십시오.",
    baseStandard: standardOf("총 플라보노이드: 표시량의 80~120 %")
  },
  redGinseng: {
    mainFunction: "면역력 증진·피로 개선·혈소판 응집 억제를 통한 혈액 흐름·기억력 개선·항산화에 도움을 줄 수 있음",
    intake: "당뇨 치료제와 혈액 항응고제를 복용하는 사람은 전문가와 상담한 후 섭취하십시오.",
    baseStandard: standardOf("진세노사이드 Rg1, Rb1 및 Rg3의 합: 표시량의 80 % 이상")
  },
  ginseng: {
    mainFunction: "면역력 증진·피로 개선·뼈 건강에 도움을 줄 수 있음",
    intake: "당뇨 치료제와 혈액 항응고제를 복용하는 사람은 전문가와 상담한 후 섭취하십시오.",
    baseStandard: standardOf("진세노사이드 Rg1과 Rb1의 합: 표시량의 80 % 이상")
  },
  rhodiola: {
    mainFunction: "스트레스로 인한 피로 개선에 도움을 줄 수 있음",
    intake: notForPregnant,
    baseStandard: standardOf("로사빈: 표시량의 80~120 %")
  },
  plum: {
    mainFunction: "피로 개선에 도움을 줄 수 있음",
    intake: doctorFirst,
    baseStandard: standardOf("구연산: 표시량의 80~120 %")
  },
  garcinia: {
    mainFunction: "탄수화물이 지방으로 합성되는 것을 억제하여 체지방 감소에 도움을 줄 수 있음",
    intake: notForPregnant,
    baseStandard: standardOf("총 HCA: 표시량의 80~120 %")
  },
  zinc: {
    mainFunction: "정상적인 면역기능에 필요, 정상적인 세포분열에 필요",
    intake: doctorFirst,
    baseStandard: standardOf("아연: 표시량의 80~150 %")
  },
  iron: {
    mainFunction: "체내 산소 운반과 혈액 생성에 필요, 에너지 생성에 필요",
    intake: "특히 6세 이하는 과량 섭취하지 않도록 주의하십시오.",
    baseStandard: standardOf("철: 표시량의 80~150 %")
  },
  magnesium: {
    mainFunction: "에너지 이용에 필요, 신경과 근육 기능 유지에 필요",
    intake: doctorFirst,
    baseStandard: standardOf("마그네슘: 표시량의 80~150 %")
  },
  sawPalmetto: {
    mainFunction: "전립선 건강의 유지에 도움을 줄 수 있음",
    intake: "임산부와 수유부, 어린이는 섭취를 피하십시오.",
    baseStandard: standardOf("로르산: 표시량의 80~120 %")
  },
  msm: {
    mainFunction: "관절 및 연골 건강에 도움을 줄 수 있음",
    intake: doctorFirst,
    baseStandard: standardOf("엠에스엠: 표시량(1,500 mg)의 80~120 %")
  },
  vitaminB: {
    mainFunction: "체내 에너지 생성에 필요, 탄수화물과 에너지 대사에 필요",
    intake: doctorFirst,
    baseStandard: standardOf("비타민 B1, B2, B6: 표시량의 80~180 %")
  }
} as const satisfies Record<string, Ingredient>

/** Number, product name, brand, what works in it, form, price in won before the discount, discount in per-mille. */
type Row = readonly [number, string, string, keyof typeof ingredients, keyof typeof forms, number, number]

const rows: ReadonlyArray<Row> = [
  [1, "온결 루테인 20 더 맑은", "온결바이오", "lutein", "softgel", 28_000, 100],
  [2, "루테인 지아잔틴 164 플러스", "해담뉴트리", "lutein", "softgel", 35_000, 150],
  [3, "한 알 루테인 데일리 90캡슐", "바른새벽", "lutein", "capsule", 19_900, 0],
  [4, "빌베리 아이케어 60정", "푸른마루", "bilberry", "tablet", 24_500, 50],
  [5, "빌베리 안토시아닌 스틱", "달해영양", "bilberry", "powder", 31_000, 200],
  [6, "아스타잔틴 6 미니 캡슐", "가온뜰", "astaxanthin", "softgel", 33_000, 125],
  [7, "극지방 아스타잔틴 프리미엄", "하솔랩", "astaxanthin", "softgel", 48_000, 250],
  [8, "알래스카 알티지 오메가3 60캡슐", "온결바이오", "omega3", "softgel", 36_000, 300],
  [9, "식물성 오메가3 비건 케어", "푸른마루", "omega3", "softgel", 42_000, 0],
  [10, "초임계 알티지 오메가3 1200", "누리샘헬스", "omega3", "softgel", 39_800, 180],
  [11, "비타민A 베타카로틴 90정", "단비솔팜", "vitaminA", "tablet", 15_900, 0],
  [12, "해조 칼슘 마그네슘 디", "산들결연구소", "calcium", "tablet", 22_000, 100],
  [13, "우리 가족 츄어블 칼슘", "달해영양", "calcium", "tablet", 18_500, 50],
  [14, "칼슘 젤리 포도맛 30포", "하솔랩", "calcium", "jelly", 21_000, 0],
  [15, "비타민D 2000IU 햇살 한 알", "바른새벽", "vitaminD", "softgel", 14_900, 0],
  [16, "비타민D 4000IU 120캡슐", "온결바이오", "vitaminD", "softgel", 19_800, 150],
  [17, "온 가족 비타민D 드롭스", "가온뜰", "vitaminD", "liquid", 17_000, 75],
  [18, "대두 이소플라본 우먼 밸런스", "해담뉴트리", "isoflavone", "tablet", 27_000, 100],
  [19, "콩의 하루 이소플라본", "산들결연구소", "isoflavone", "capsule", 23_400, 0],
  [20, "포스파티딜세린 메모리 300", "누리샘헬스", "phosphatidylserine", "softgel", 58_000, 200],
  [21, "브레인 온 포스파티딜세린", "해담뉴트리", "phosphatidylserine", "capsule", 52_000, 100],
  [22, "징코 은행잎 추출물 60정", "단비솔팜", "ginkgo", "tablet", 25_000, 0],
  [23, "은행잎 혈행 기억 케어", "푸른마루", "ginkgo", "tablet", 29_000, 155],
  [24, "징코 브레인 스틱 30포", "하솔랩", "ginkgo", "liquid", 34_000, 50],
  [25, "미세조류 DHA 키즈", "달해영양", "dha", "softgel", 31_500, 100],
  [26, "수험생 DHA 두뇌 영양", "바른새벽", "dha", "softgel", 37_000, 225],
  [27, "100억 생유산균 데일리", "온결바이오", "probiotics", "powder", 24_000, 100],
  [28, "김치 유래 유산균 골드", "산들결연구소", "probiotics", "capsule", 32_000, 300],
  [29, "우리 아이 유산균 요거트맛", "달해영양", "probiotics", "powder", 27_500, 150],
  [30, "신바이오틱스 우먼 밸런스", "해담뉴트리", "probiotics", "capsule", 38_000, 200],
  [31, "차전자피 식이섬유 스틱", "푸른마루", "psyllium", "powder", 19_000, 0],
  [32, "아침 가벼운 차전자피 환", "가온뜰", "psyllium", "tablet", 22_800, 80],
  [33, "유기농 알로에겔 한 포", "산들결연구소", "aloe", "liquid", 33_000, 100],
  [34, "알로에 베라 겔 분말", "단비솔팜", "aloe", "powder", 26_000, 0],
  [35, "밀크씨슬 실리마린 130", "온결바이오", "milkThistle", "tablet", 22_000, 150],
  [36, "밀크씨슬 골드 비타민B", "누리샘헬스", "milkThistle", "tablet", 29_900, 250],
  [37, "직장인 밀크씨슬 60캡슐", "바른새벽", "milkThistle", "capsule", 25_500, 0],
  [38, "헛개나무열매 진액 30포", "산들결연구소", "raisinTree", "liquid", 36_000, 100],
  [39, "헛개 한 잔 스틱", "하솔랩", "raisinTree", "liquid", 31_000, 50],
  [40, "저분자 콜라겐 펩타이드 30포", "가온뜰", "collagen", "powder", 34_900, 200],
  [41, "피쉬 콜라겐 젤리 석류맛", "하솔랩", "collagen", "jelly", 29_000, 100],
  [42, "콜라겐 비오틴 앰플", "해담뉴트리", "collagen", "liquid", 45_000, 350],
  [43, "먹는 히알루론산 120", "온결바이오", "hyaluronicAcid", "tablet", 32_000, 150],
  [44, "히알루론산 수분 한 알", "달해영양", "hyaluronicAcid", "capsule", 28_500, 0],
  [45, "클로렐라 그린 300정", "푸른마루", "chlorella", "tablet", 26_500, 100],
  [46, "제주 클로렐라 분말", "산들결연구소", "chlorella", "powder", 31_000, 0],
  [47, "고함량 비타민C 1000 100정", "단비솔팜", "vitaminC", "tablet", 12_900, 0],
  [48, "비타민C 레몬 스틱 60포", "바른새벽", "vitaminC", "powder", 18_900, 105],
  [49, "리포좀 비타민C 캡슐", "누리샘헬스", "vitaminC", "capsule", 39_000, 200],
  [50, "코엔자임Q10 100 맥스", "온결바이오", "coenzymeQ10", "softgel", 34_000, 150],
  [51, "코엔자임Q10 하루 한 알", "해담뉴트리", "coenzymeQ10", "softgel", 27_000, 0],
  [52, "그린 프로폴리스 캡슐", "가온뜰", "propolis", "softgel", 38_500, 100],
  [53, "프로폴리스 꿀 스틱", "산들결연구소", "propolis", "liquid", 29_800, 50],
  [54, "6년근 홍삼정 데일리 30포", "산들결연구소", "redGinseng", "liquid", 68_000, 200],
  [55, "홍삼 활력 정 120정", "단비솔팜", "redGinseng", "tablet", 49_000, 100],
  [56, "어린이 홍삼 젤리", "달해영양", "redGinseng", "jelly", 35_000, 0],
  [57, "고려 인삼 농축액", "산들결연구소", "ginseng", "liquid", 54_000, 150],
  [58, "홍경천 스트레스 케어", "누리샘헬스", "rhodiola", "tablet", 33_000, 100],
  [59, "홍경천 로디올라 30캡슐", "하솔랩", "rhodiola", "capsule", 27_900, 0],
  [60, "광양 매실 추출물 포", "가온뜰", "plum", "liquid", 24_000, 75],
  [61, "가르시니아 슬림 컷", "하솔랩", "garcinia", "tablet", 29_000, 400],
  [62, "아연 이뮨 데일리", "바른새벽", "zinc", "tablet", 11_900, 0],
  [63, "순한 철분 엽산", "달해영양", "iron", "capsule", 17_500, 50],
  [64, "마그네슘 나이트 90정", "온결바이오", "magnesium", "tablet", 16_900, 100],
  [65, "쏘팔메토 옥타코사놀", "누리샘헬스", "sawPalmetto", "softgel", 41_000, 250],
  [66, "관절엔 엠에스엠 1500", "푸른마루", "msm", "tablet", 30_500, 120],
  [67, "활성 비타민B 콤플렉스", "단비솔팜", "vitaminB", "tablet", 23_000, 0],
  [68, "블랙 마카 비타민B 부스터", "해담뉴트리", "vitaminB", "tablet", 32_500, 333]
]

// The first 48 bits of a UUIDv7 are milliseconds since 1970: 2025-01-01T00:00:00Z.
const idOf = (number: number) => ItemId.make(`01941f29-7c00-7000-8000-${number.toString(16).padStart(12, "0")}`)

const two = (number: number) => String(number).padStart(2, "0")

const itemOf = ([number, productName, brand, ingredient, form, origin, rate]: Row): Item.Item => {
  const year = 2016 + (number % 8)
  const { baseStandard, intake, mainFunction } = ingredients[ingredient]
  return Item.create({
    id: idOf(number),
    information: new Item.Information({
      productName,
      brand,
      statementNumber: `${year}00170${String(10_000 + number)}`,
      registeredDate: `${year}-${two(1 + (number % 12))}-${two(1 + ((number * 7) % 28))}`,
      ...forms[form],
      intake,
      mainFunction,
      baseStandard
    }),
    origin: Won.make(origin),
    rate: Rate.make(rate),
    images: new Item.Images({
      thumbnail: `/images/items/${two(number)}/thumbnail.webp`,
      description: `/images/items/${two(number)}/description.webp`
    })
  })
}

/** The items of the sample catalogue, always the same ones in the same order. */
export const sampleCatalogue: ReadonlyArray<Item.Item> = rows.map(itemOf)
