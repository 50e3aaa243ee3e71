// Wingmirror · Apache-2.0

extension TraceContext {
    /// Reads the context of a request.
    ///
    /// `traceparent` comes first, then `b3`, then the several fields of B3. A field that occurs twice says nothing, for
    /// nobody can tell which of the two the sender meant.
    /// - Parameters:
    ///   - request: The head; borrowed for the call only.
    ///   - allowsB3: Whether the fields of B3 are read too.
    public init?(of request: borrowing RequestView, allowsB3: Bool) {
        let fields = TraceFields(of: request)
        if let value = fields.traceparent.single, let context = Self(traceparent: request.octets.extracting(value)) {
            self = context
            return
        }
        guard allowsB3 else { return nil }
        if let value = fields.b3.single, let context = Self(b3: request.octets.extracting(value)) {
            self = context
            return
        }
        guard let traceID = fields.traceID.single, let spanID = fields.spanID.single else { return nil }
        self.init(
            b3In: request.octets,
            traceID: traceID,
            spanID: spanID,
            sampled: fields.sampled.single,
            flags: fields.flags.single
        )
    }
}

/// Where the fields that name a trace are in a head.
private struct TraceFields {
    var traceparent = Place()
    var b3 = Place()
    var traceID = Place()
    var spanID = Place()
    var sampled = Place()
    var flags = Place()

    /// The value of a field, if it occurs once.
    struct Place {
        private(set) var single: Range<Int>?
        private var isKnown = false

        mutating func found(_ value: Range<Int>) {
            single = isKnown ? nil : value
            isKnown = true
        }
    }

    /// Looks through the field lines; nearly all are passed over for the length of their names.
    init(of request: borrowing RequestView) {
        for index in request.fields.indices {
            let field = request.fields[index]
            switch field.name.count {
            case 2 where request.octets.equals(field.name, "b3"): b3.found(field.value)
            case 10 where request.octets.equals(field.name, "x-b3-flags"): flags.found(field.value)
            case 11 where request.octets.equals(field.name, "traceparent"): traceparent.found(field.value)
            case 11 where request.octets.equals(field.name, "x-b3-spanid"): spanID.found(field.value)
            case 12 where request.octets.equals(field.name, "x-b3-traceid"): traceID.found(field.value)
            case 12 where request.octets.equals(field.name, "x-b3-sampled"): sampled.found(field.value)
            default: break
            }
        }
    }
}

extension Span<UInt8> {
    /// Whether `range` is `text`, which is in lower case, with letters of either case taken as equal.
    func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count {
            var octet = self[range.lowerBound + offset]
            if octet &- 0x41 < 26 { octet |= 0x20 }
            // Literals live as long as the program, and this one has as many octets as the range.
            if unsafe octet != text.utf8Start[offset] { return false }
        }
        return true
    }
}
