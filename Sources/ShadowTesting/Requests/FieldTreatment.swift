// Wingmirror · Apache-2.0

internal import Redaction
public import TrafficModel

/// What becomes of the field lines of a request on their way to a target.
enum FieldTreatment {
    /// Sent as it is.
    case kept
    /// Not sent, because it concerns the connection or is made anew: nothing of the request is lost.
    case dropped
    /// Not sent, because it may hold a secret.
    case removed
    /// Sent as a hash.
    case hashed
    /// Sent with the credentials in its URL taken out.
    case url
    /// Sent with the credentials in the URLs between angle brackets taken out.
    case links
    /// Sent without a user and a password before its host.
    case host
    /// Sent without users and passwords before the hosts that it names among other things.
    case forwarded
    /// Sent with a suffix, so that it is not the key of the original.
    case idempotencyKey

    /// Names that concern one connection (RFC 9110 §7.6.1), framing, and what the copy has its own of.
    static let ownFields: Set<String> = [
        "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "content-length", "upgrade",
        "http2-settings", "expect", "proxy-connection", "proxy-authenticate", "proxy-authentication-info",
        ShadowMarker.fieldName, ShadowTrace.linkFieldName,
    ]

    /// The fields that make an answer depend on what the client has already (RFC 9110 §13, §14.2): validators are production's,
    /// so a target would answer to another question.
    static let conditionalFields: Set<String> = [
        "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range",
    ]

    /// The fields that carry a trace, in the formats of W3C, Zipkin and vendors.
    static let traceFields: Set<String> = [
        "traceparent", "tracestate", "baggage", "b3", "grpc-trace-bin", "uber-trace-id", "x-cloud-trace-context",
        "x-amzn-trace-id", "sw8", "sw8-correlation", "sw8-x", "x-ot-span-context", "elastic-apm-traceparent",
        "newrelic",
        "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority", "x-datadog-origin",
        "x-datadog-tags",
    ]

    /// Whether a field, its name in lower case, carries a trace.
    static func isTraceField(_ name: String) -> Bool {
        traceFields.contains(name) || name.hasPrefix("x-b3-") || name.hasPrefix("uberctx-")
    }

    /// The fields under which clients say that two requests are one.
    static let idempotencyKeys: Set<String> = [
        "idempotency-key", "x-idempotency-key", "idempotency_key", "idempotent-key", "x-idempotent-key",
        "idempotence-key",
        "x-idempotence-key", "request-idempotency-key", "x-request-idempotency-key", "paypal-request-id",
        "x-goog-request-idempotency-key",
    ]
}

/// Decides on field lines by the settings of a policy.
struct FieldTreatments: Sendable {
    private let kept: Set<String>
    private let removed: Set<String>
    private let hashed: Set<String>

    init(_ policy: MirrorPolicy) {
        kept = Set(policy.keptFields.map { $0.lowercased() })
        removed = Set(policy.removedFields.map { $0.lowercased() })
        hashed = Set(policy.hashedFields.map { $0.lowercased() })
    }

    /// Whether the policy keeps a field, its name in lower case, whatever it holds.
    func keeps(_ name: String) -> Bool { kept.contains(name) }

    /// What becomes of a field.
    ///
    /// Where settings meet, the one that shows less counts: removing, then hashing, then keeping, then the default.
    /// - Parameters:
    ///   - sent: the field name as it was sent, since capitals divide the parts of a name.
    ///   - isSecret: whether the client calls the value a secret (RFC 7541 §7.1.3).
    ///   - nominated: names that the Connection field says concern the connection, in lower case.
    /// - Returns: the treatment.
    func treatment(of sent: String, isSecret: Bool, nominated: Set<String>) -> FieldTreatment {
        let name = sent.lowercased()
        if FieldTreatment.ownFields.contains(name) || FieldTreatment.isTraceField(name) || nominated.contains(name)
            || FieldTreatment.conditionalFields.contains(name)
        {
            return .dropped
        }
        if removed.contains(name) { return .removed }
        if hashed.contains(name) { return .hashed }
        if FieldTreatment.idempotencyKeys.contains(name) { return .idempotencyKey }
        let kind = URLFields.kind(of: name)
        if kind == .url { return .url }
        if kind == .links { return .links }
        guard kept.contains(name) || !isSecret && !CredentialNames.contains(sent) else { return .removed }
        switch kind {
        case .host: return .host
        case .forwarded: return .forwarded
        case .url, .links, .other: return .kept
        }
    }
}

extension MirrorPolicy {
    /// Whether copies of a request lack credentials that the client sent: an answer may differ for that alone.
    public func takesCredentials(of request: RecordedRequest) -> Bool {
        let treatments = FieldTreatments(self)
        let hidden = request.message.fields.contains { field in
            if !treatments.keeps(field.name.lowercased()), WebToken.range(in: field.value) != nil { return true }
            guard field.isSecret || CredentialNames.contains(field.name) else { return false }
            switch treatments.treatment(of: field.name, isSecret: field.isSecret, nominated: []) {
            case .removed, .hashed: return true
            case .dropped, .kept, .url, .links, .host, .forwarded, .idempotencyKey: return false
            }
        }
        guard !hidden else { return true }
        let kept = Set(keptParameters.map { $0.lowercased() })
        if kept.isEmpty, WebToken.range(in: request.target) != nil { return true }
        var redactions = 0
        let parameters = ParameterRedaction(redactionRules, values: ValueRedaction(key: RedactionKey(high: 0, low: 0)))
        _ = parameters.redacted(target: request.target, redactions: &redactions)
        return redactions > 0
    }
}
