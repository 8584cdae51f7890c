import { suite } from "@pillivery/application/testing/PaymentRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
