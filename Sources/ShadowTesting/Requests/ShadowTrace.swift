// Wingmirror · Apache-2.0
// The traceparent field, W3C Trace Context §3.2.

import OctetText
internal import Redaction
internal import TrafficModel

/// The trace context of a copy: a trace of its own that is not sampled, with a link to the original.
///
/// Was the copy a child of the original's span, staging's spans would turn up in the traces of users.
enum ShadowTrace {
    /// The field that names the original's context, in the form of `traceparent`.
    static let linkFieldName = "wingmirror-link"

    /// The fields for a copy.
    ///
    /// - Parameters:
    ///   - exchange: the original.
    ///   - target: the name of the target.
    ///   - copy: which of the copies to that target this is.
    ///   - key: what the ids are derived with, so that the same copy gets the same ids within a run.
    /// - Returns: `traceparent`, and the link where the original has a context; and the copy's own context.
    static func fields(
        for exchange: RecordedExchange,
        target: String,
        copy: Int,
        key: RedactionKey
    ) -> (fields: [ShadowRequest.Field], context: TraceContext) {
        let original = exchange.request.withView { TraceContext(of: $0, allowsB3: true) }
        var hash = key.hash(2)
        hash.combine(target.utf8)
        hash.combine(word: UInt64(bitPattern: Int64(copy)))
        hash.combine(word: UInt64(bitPattern: exchange.startTime))
        hash.combine(word: UInt64(bitPattern: Int64(exchange.connection)))
        hash.combine(exchange.request.method.utf8)
        hash.combine(exchange.request.target.span)
        if let original {
            hash.combine(word: original.traceHigh)
            hash.combine(word: original.traceLow)
            hash.combine(word: original.span)
        }
        let ids = (0..<3).map { part in
            var hash = hash
            hash.combine(UInt8(part))
            // An id of zeros is none; this loses nothing that matters.
            return max(1, hash.value)
        }
        guard let context = TraceContext(traceHigh: ids[0], traceLow: ids[1], span: ids[2], isSampled: false) else {
            preconditionFailure("ShadowTrace.fields: an id is zero")
        }
        var fields = [ShadowRequest.Field(name: "traceparent", value: "00-\(context.traceID)-\(context.spanID)-00")]
        if let original {
            let flags = original.isSampled ? "01" : "00"
            let link = "00-\(original.traceID)-\(original.spanID)-\(flags)"
            fields.append(ShadowRequest.Field(name: linkFieldName, value: link))
        }
        return (fields, context)
    }
}
