// Wingmirror · Apache-2.0

/// What is wrong with policies, so that no plan can be made of them.
public struct MirrorPlanError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The policy's name; `nil` for what concerns all of them.
    public let policy: String?
    /// What is wrong, without the name.
    public let message: String

    init(policy: String? = nil, _ message: String) {
        self.policy = policy
        self.message = message
    }

    /// What is wrong, and with which policy.
    public var description: String {
        policy.map { "mirror policy \($0): \(message)" } ?? message
    }
}
