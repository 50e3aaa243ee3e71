// Wingmirror · Apache-2.0

import OctetText

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
            case 2 where request.octets.matches(field.name, "b3"): b3.found(field.value)
            case 10 where request.octets.matches(field.name, "x-b3-flags"): flags.found(field.value)
            case 11 where request.octets.matches(field.name, "traceparent"): traceparent.found(field.value)
            case 11 where request.octets.matches(field.name, "x-b3-spanid"): spanID.found(field.value)
            case 12 where request.octets.matches(field.name, "x-b3-traceid"): traceID.found(field.value)
            case 12 where request.octets.matches(field.name, "x-b3-sampled"): sampled.found(field.value)
            default: break
            }
        }
    }
}
