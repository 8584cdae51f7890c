import { suite } from "@pillivery/application/testing/NotificationRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
