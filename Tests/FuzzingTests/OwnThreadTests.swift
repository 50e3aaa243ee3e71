// Wingmirror · Apache-2.0

import TestSupport
import TestTraits
import Testing

/// Heavy tests stay off the threads that all others share.
@Suite(.timeLimit(.minutes(20)))
struct OwnThreadTests {
    @Test(.heavy, arguments: [1, 2]) func `a heavy test has a thread of its own`(number: Int) {
        #expect(OwnThread.isCurrent)
    }

    @Test(.heavy) func `so has what a heavy test waits for`() async {
        let isCurrent = await withTaskGroup(of: Bool.self) { group in
            group.addTask { OwnThread.isCurrent }
            return await group.reduce(true) { $0 && $1 }
        }
        #expect(isCurrent)
    }

    @Test func `another test has not`() async {
        #expect(!OwnThread.isCurrent)
    }
}
