// Wingmirror · Apache-2.0
// Queries as forms write them, WHATWG URL §5.1; the semicolon as separator, HTML 4.01 §B.2.2.

/// Goes through the parameters of a query, or of form content.
package struct QueryParameters: ~Escapable {
    private let octets: Span<UInt8>
    private let end: Int
    private var index: Int

    /// One parameter, as it was sent.
    package struct Parameter {
        /// The name.
        package let name: Range<Int>
        /// What follows the equals sign; `nil` without one.
        package let value: Range<Int>?
        /// Name, equals sign and value.
        package let whole: Range<Int>
    }

    /// Begins with a part of octets.
    @_lifetime(copy octets)
    package init(_ octets: Span<UInt8>, _ query: Range<Int>) {
        self.octets = octets
        index = query.lowerBound
        end = query.upperBound + 1
    }

    /// The next parameter, which may be empty; `nil` behind the last.
    package mutating func next() -> Parameter? {
        guard index < end else { return nil }
        let start = index
        var nameEnd = -1
        while index < end - 1 {
            let octet = octets[index]
            if octet == UInt8(ascii: "&") || octet == UInt8(ascii: ";") { break }
            if octet == UInt8(ascii: "="), nameEnd < 0 { nameEnd = index }
            index += 1
        }
        let whole = start..<index
        index += 1
        guard nameEnd >= 0 else { return Parameter(name: whole, value: nil, whole: whole) }
        return Parameter(name: start..<nameEnd, value: nameEnd + 1..<whole.upperBound, whole: whole)
    }
}
