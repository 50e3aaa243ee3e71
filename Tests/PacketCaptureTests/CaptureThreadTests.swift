// Wingmirror · Apache-2.0

import PacketCapture
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(20)))
struct CaptureThreadTests {
    @Test func `the body runs once, before the thread is joined`() throws {
        let count = Count()
        let thread = try CaptureThread.start(name: "a name of more than fifteen octets") {
            count.value.wrappingAdd(1, ordering: .relaxed)
        }
        thread.join()
        thread.join()
        #expect(count.value.load(ordering: .relaxed) == 1)
    }

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }
}

@Suite(.timeLimit(.minutes(20)))
struct StopFlagTests {
    @Test func `a stop stays requested`() {
        let stop = StopFlag()
        #expect(!stop.isRequested)
        stop.request()
        stop.request()
        #expect(stop.isRequested)
    }
}
