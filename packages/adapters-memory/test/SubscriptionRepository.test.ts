import { suite } from "@pillivery/application/testing/SubscriptionRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
