// Wingmirror · Apache-2.0

/// Which policies sampled a request; kept with the exchange until it is complete.
public struct MirrorSelection: Sendable, Hashable, BitwiseCopyable {
    /// The policies, one bit each; bit 0 is the first policy of the plan.
    public let policies: UInt32
    /// The edition of the plan that decided.
    public let edition: UInt32
    /// The sampling hash under the key of the first of the policies; 0 where there is none.
    public let keyHash: UInt64

    /// Makes a selection of its parts.
    init(policies: UInt32, edition: UInt32, keyHash: UInt64) {
        self.policies = policies
        self.edition = edition
        self.keyHash = keyHash
    }

    /// The selection of a request that nobody sampled.
    public static let none = MirrorSelection(policies: 0, edition: 0, keyHash: 0)

    /// Whether no policy sampled the request.
    public var isEmpty: Bool { policies == 0 }
}

/// Goes through the bits that are set in a mask of policies, the lowest first.
struct PolicyNumbers: Sequence, IteratorProtocol {
    var mask: UInt32

    mutating func next() -> Int? {
        guard mask != 0 else { return nil }
        let number = mask.trailingZeroBitCount
        // It is not zero; this takes its lowest bit away.
        mask &= mask &- 1
        return number
    }
}
