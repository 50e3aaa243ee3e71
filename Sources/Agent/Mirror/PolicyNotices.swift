// Wingmirror · Apache-2.0

import Synchronization

/// What there is to know of the policies in force with the routes in force, such as that one matches none of them.
final class PolicyNotices: Sendable {
    private let held = Mutex<[String]>([])

    /// A sentence each.
    var sentences: [String] { held.withLock { $0 } }

    /// Takes what the newest tables make of the policies.
    func replace(with sentences: [String]) {
        held.withLock { $0 = sentences }
    }
}
