// Wingmirror · Apache-2.0

/// A format that packets came in and that is not decoded, by its number, so that people can be told which it is.
public struct UndecodedFormat: Sendable, Hashable, Comparable {
    /// The registry that the number is of.
    public enum Registry: UInt8, Sendable, Hashable, CaseIterable {
        /// Link-layer header types of savefiles.
        case linkType
        /// EtherTypes of IEEE 802.
        case etherType
    }

    /// The registry that the number is of.
    public let registry: Registry
    /// The number.
    public let number: UInt32

    /// Makes a format of its number in a registry.
    public init(_ registry: Registry, _ number: UInt32) {
        self.registry = registry
        self.number = number
    }

    /// How people write it: `link type 147`, `EtherType 0x88f0`.
    public var text: String {
        switch registry {
        case .linkType:
            return "link type \(number)"
        case .etherType:
            let digits = String(number, radix: 16)
            return "EtherType 0x" + String(repeating: "0", count: max(4 - digits.count, 0)) + digits
        }
    }

    /// Orders by registry and number.
    public static func < (first: UndecodedFormat, second: UndecodedFormat) -> Bool {
        (first.registry.rawValue, first.number) < (second.registry.rawValue, second.number)
    }
}
