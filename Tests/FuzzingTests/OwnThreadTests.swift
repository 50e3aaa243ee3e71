// Wingmirror · Apache-2.0

import TestSupport
import TestTraits
import Testing

/// Heavy tests stay off the threads that all others share.
@Suite struct OwnThreadTests {
    @Test(.heavy, arguments: [1, 2]) func `a heavy test has the thread of heavy tests`(number: Int) {
        #expect(OwnThread.heavy.isCurrent)
    }

    @Test(.heavy) func `so has what a heavy test waits for`() async {
        let isCurrent = await withTaskGroup(of: Bool.self) { group in
            group.addTask { OwnThread.heavy.isCurrent }
            return await group.reduce(true) { $0 && $1 }
        }
        #expect(isCurrent)
    }

    @Test func `another test has not, nor has a thread that was started for a piece of work`() async {
        #expect(!OwnThread.heavy.isCurrent)
        #expect(await !OwnThread.run { OwnThread.heavy.isCurrent })
    }
}
