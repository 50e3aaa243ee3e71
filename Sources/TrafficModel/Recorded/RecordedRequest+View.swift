// Wingmirror · Apache-2.0

extension RecordedRequest {
    /// Calls `body` with a view of the head, as the packet path would have seen it.
    public func withView<Result>(_ body: (borrowing RequestView) -> Result) -> Result {
        var octets = Array(method.utf8)
        let methodEnd = octets.count
        octets += target
        let targetEnd = octets.count
        var lines: [FieldLine] = []
        lines.reserveCapacity(message.fields.count)
        var authority: Range<Int>?
        var traits: RequestTraits = []
        for field in message.fields {
            let start = octets.count
            octets += field.name.utf8
            let middle = octets.count
            octets += field.value
            if field.isNamed("host") {
                if authority != nil { traits.insert(.hasSeveralHosts) }
                authority = authority ?? middle..<octets.count
            } else if field.isNamed("connection") {
                traits.insert(.hasConnectionOptions)
            }
            lines.append(FieldLine(name: start..<middle, value: middle..<octets.count))
        }
        return body(
            RequestView(
                octets: octets.span,
                method: 0..<methodEnd,
                target: methodEnd..<targetEnd,
                authority: authority,
                version: .http11,
                fields: lines.span,
                traits: traits
            )
        )
    }
}
