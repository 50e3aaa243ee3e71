// Wingmirror · Apache-2.0

/// A number of octets, as a configuration writes it.
package struct ByteSize: Sendable, Hashable, Comparable {
    /// The number of octets.
    package var octets: Int

    /// Makes a size of octets.
    package init(_ octets: Int) {
        self.octets = octets
    }

    /// Makes a size of 1,024 octets each.
    init(kibibytes: Int) {
        self.init(kibibytes << 10)
    }

    /// Makes a size of 1,048,576 octets each.
    init(mebibytes: Int) {
        self.init(mebibytes << 20)
    }

    /// Whether `left` is the smaller size.
    package static func < (left: ByteSize, right: ByteSize) -> Bool {
        left.octets < right.octets
    }
}

extension ByteSize: CustomStringConvertible {
    private static let units: [(suffix: String, factor: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000),
        ("B", 1),
    ]

    /// Reads `64MiB`, `64KiB`, `2GiB`, `10MB`, `512B` or `512`; `nil` for anything else.
    package init?(_ text: String) {
        let unit = Self.units.first { text.hasSuffix($0.suffix) } ?? ("", 1)
        let digits = text.dropLast(unit.suffix.count)
        guard let count = Int(digits), count >= 0, digits.first != "+" else { return nil }
        let (octets, overflow) = count.multipliedReportingOverflow(by: unit.factor)
        guard !overflow else { return nil }
        self.init(octets)
    }

    /// The size in the largest binary unit that needs no fraction.
    package var description: String {
        let unit = Self.units.first { $0.factor.nonzeroBitCount == 1 && octets % $0.factor == 0 && octets >= $0.factor }
        guard let unit, unit.factor > 1 else { return "\(octets)B" }
        return "\(octets / unit.factor)\(unit.suffix)"
    }
}

extension ConfigurationValue where Value == ByteSize {
    /// A size within a range, in octets or with a unit.
    static func byteSize(in range: ClosedRange<ByteSize>) -> Self {
        Self(expectation: "a size such as 64MiB, from \(range.lowerBound) to \(range.upperBound)") { node in
            guard let size = (node.text ?? node.number).flatMap({ ByteSize($0) }), range.contains(size) else {
                return .failure([])
            }
            return .success(size)
        }
    }
}
