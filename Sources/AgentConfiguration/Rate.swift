// Wingmirror · Apache-2.0

/// How often something may happen.
package struct Rate: Sendable, Hashable {
    /// Times in a second.
    package var perSecond: Double
}

extension Rate: CustomStringConvertible {
    /// Reads `50/s` or `300/m`; `nil` for anything else, and for a rate of nothing.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0]), (1...1_000_000).contains(count), parts[0].first != "+" else {
            return nil
        }
        switch parts[1] {
        case "s": self.init(perSecond: Double(count))
        case "m": self.init(perSecond: Double(count) / 60)
        default: return nil
        }
    }

    /// The rate as `init(_:)` reads it.
    package var description: String {
        perSecond == perSecond.rounded() ? "\(Int(perSecond))/s" : "\(Int((perSecond * 60).rounded()))/m"
    }
}

extension ConfigurationValue where Value == Rate {
    /// A rate.
    static var rate: Self {
        ConfigurationValue<String>.text.map("a rate such as 50/s") { Rate($0) }
    }
}
