// Wingmirror · Apache-2.0

import OctetText
public import Redaction
public import TrafficModel

/// Makes of a sampled exchange what is sent to one target.
///
/// The copy says what the client said, except for:
///
/// - what concerns one connection, and framing, which is made anew from the content: what came in chunks goes out with a
///   length, trailers are left out, and nobody waits for a 100 (Continue);
/// - credentials, in fields, in the query, in forms and in what URLs other fields hold, unless the policy keeps a field;
/// - what the policy hashes or removes;
/// - a gRPC call is a message of HTTP/2 whose answer has trailers, and says that it takes them;
/// - conditions and ranges, whose validators are production's, and content codings that answers could not be compared in;
/// - the trace, which is a new one that links to the original's;
/// - idempotency keys, which get a suffix, so that the copy is not taken for a repetition of the original.
///
/// To that come the Host that the target asks for and, always, the marker.
public struct ShadowRequestBuilder: Sendable {
    private let policy: MirrorPolicy
    private let target: MirrorTarget
    private let marker: ShadowMarker
    private let key: RedactionKey
    private let treatments: FieldTreatments
    private let values: ValueRedaction
    private let parameters: ParameterRedaction
    private let content: ContentRedaction

    /// Makes a builder for one policy and target.
    /// - Parameters:
    ///   - policy: what is redacted.
    ///   - target: where the copies go.
    ///   - node: the name of this node, for the marker.
    ///   - key: what values are hashed with.
    public init(policy: MirrorPolicy, target: MirrorTarget, node: String, key: RedactionKey) {
        self.policy = policy
        self.target = target
        self.key = key
        marker = ShadowMarker(node: node)
        treatments = FieldTreatments(policy)
        values = ValueRedaction(key: key)
        parameters = ParameterRedaction(policy.redactionRules, values: values)
        content = ContentRedaction(policy.redactionRules, values: values)
    }

    /// The request to send.
    ///
    /// - Parameters:
    ///   - exchange: the original, its request whole.
    ///   - copy: which of the copies to the same target this is, from 0; each has a trace and idempotency keys of its own.
    ///   - seal: what agents know the copy by; without one nobody takes it for more than a request that bears the marker.
    /// - Returns: the copy.
    /// - Throws: `.marked`, `.integrity`, `.size`, `.methodOverride`, `.unsendable` or `.redaction`.
    public func build(
        _ exchange: RecordedExchange,
        copy: Int = 0,
        seal: ShadowSeal? = nil
    ) throws(FilterReason) -> ShadowRequest {
        let request = exchange.request
        try check(request)
        var redactions = 0
        let path = try targetText(request, redactions: &redactions)
        let octets = try contentOctets(request, redactions: &redactions)
        let host = try hostValue(request, redactions: &redactions)
        var fields = [ShadowRequest.Field(name: "host", value: host)]
        fields += try sentFields(request.message.fields, copy: copy, redactions: &redactions)
        if !octets.isEmpty || request.message.fields.contains(where: { $0.isNamed("content-length") }) {
            fields.append(ShadowRequest.Field(name: "content-length", value: String(octets.count)))
        }
        // Whoever answers a call wants to know that its trailers arrive.
        if request.message.isCall { fields.append(ShadowRequest.Field(name: "te", value: "trailers")) }
        let trace = ShadowTrace.fields(for: exchange, target: target.name, copy: copy, key: key)
        fields += trace.fields
        let stamp = seal?.parameters(method: request.method, trace: trace.context, time: exchange.startTime) ?? ""
        fields.append(ShadowRequest.Field(name: ShadowMarker.fieldName, value: marker.fieldValue + stamp))
        return ShadowRequest(
            method: request.method,
            target: path,
            fields: fields,
            content: octets,
            redactions: redactions
        )
    }

    /// Refuses what must never be sent, also when no plan has looked at it before.
    private func check(_ request: RecordedRequest) throws(FilterReason) {
        guard request.message.contentIsWhole else { throw .integrity }
        guard request.message.content.count <= policy.maximumContentOctets else { throw .size }
        guard PolicyValidation.isToken(request.method), !["CONNECT", "TRACE"].contains(request.method.uppercased())
        else {
            throw .unsendable
        }
        if request.message.fields.contains(where: { $0.isNamed(ShadowMarker.fieldName) }) { throw .marked }
        if MediaTypeText(request.message).isForm, formNamesAnotherMethod(request) { throw .methodOverride }
    }

    private func formNamesAnotherMethod(_ request: RecordedRequest) -> Bool {
        let form = request.message.content
        let method = Array(request.method.utf8)
        return MethodDisguise.disagrees(form.span, query: form.indices, methodIn: method.span, method.indices)
    }

    private func contentOctets(_ request: RecordedRequest, redactions: inout Int) throws(FilterReason) -> [UInt8] {
        do throws(UnreadableContent) {
            return try content.redacted(request.message, redactions: &redactions)
        } catch {
            throw .redaction
        }
    }

    // MARK: - Target and host

    private func targetText(_ request: RecordedRequest, redactions: inout Int) throws(FilterReason) -> String {
        let redacted = parameters.redacted(target: request.target, redactions: &redactions)
        let parts = RequestTargetParts(redacted.span, redacted.indices)
        switch parts.form {
        case .origin, .absolute: break
        case .asterisk, .other: throw .unsendable
        }
        var octets = Array(redacted[parts.path.lowerBound...])
        // An absolute target that ends with the authority means the root.
        if octets.first != UInt8(ascii: "/") { octets.insert(UInt8(ascii: "/"), at: 0) }
        octets = withoutTokens(target: octets, redactions: &redactions)
        guard octets.allSatisfy(ASCII.isTargetOctet) else { throw .unsendable }
        return String(decoding: octets, as: UTF8.self)
    }

    /// A target whose tokens are replaced, whatever their parameters are called, but for those that the policy keeps.
    private func withoutTokens(target: [UInt8], redactions: inout Int) -> [UInt8] {
        guard WebToken.range(in: target) != nil else { return target }
        guard !policy.keptParameters.isEmpty, let mark = target.firstIndex(of: UInt8(ascii: "?")) else {
            return WebToken.replaced(in: target, by: values, redactions: &redactions)
        }
        let kept = Set(policy.keptParameters.map { $0.lowercased() })
        var result = WebToken.replaced(in: Array(target[...mark]), by: values, redactions: &redactions)
        let query = Array(target[(mark + 1)...])
        var parameters = QueryParameters(query.span, query.indices)
        while let parameter = parameters.next() {
            if parameter.whole.lowerBound > 0 { result.append(query[parameter.whole.lowerBound - 1]) }
            let text = Array(query[parameter.whole])
            let isKept = kept.contains(String(decoding: query[parameter.name], as: UTF8.self).lowercased())
            result += isKept ? text : WebToken.replaced(in: text, by: values, redactions: &redactions)
        }
        return result
    }

    private func hostValue(_ request: RecordedRequest, redactions: inout Int) throws(FilterReason) -> String {
        switch target.hostField {
        case .target: return target.authority
        case .original:
            let hosts = request.message.values(of: "host")
            guard hosts.count <= 1 else { throw .unsendable }
            let parts = RequestTargetParts(request.target.span, request.target.indices)
            let named = parts.authority.map { Array(request.target[$0]) } ?? hosts.first ?? []
            let host = parameters.redacted(host: named, redactions: &redactions)
            guard host.allSatisfy({ ASCII.isTargetOctet($0) && $0 != UInt8(ascii: "/") }) else { throw .unsendable }
            // Without a host of its own the request is for whoever it reaches.
            return host.isEmpty ? target.authority : String(decoding: host, as: UTF8.self)
        }
    }

    // MARK: - Fields

    private func sentFields(
        _ fields: [RecordedField],
        copy: Int,
        redactions: inout Int
    ) throws(FilterReason) -> [ShadowRequest.Field] {
        let nominated = Self.nominated(by: fields)
        var sent: [ShadowRequest.Field] = []
        for field in fields {
            let name = field.name.lowercased()
            var value = field.value
            switch treatments.treatment(of: field.name, isSecret: field.isSecret, nominated: nominated) {
            case .dropped: continue
            case .removed:
                redactions += 1
                continue
            case .kept: value = parameters.redacted(field: value, redactions: &redactions)
            case .hashed:
                redactions += 1
                value = Array(values.replacement(for: value).utf8)
            case .url: value = parameters.redacted(target: value, redactions: &redactions)
            case .links: value = parameters.redacted(links: value, redactions: &redactions)
            case .host: value = parameters.redacted(host: value, redactions: &redactions)
            case .forwarded: value = parameters.redacted(forwarded: value, redactions: &redactions)
            case .idempotencyKey: value = suffixed(value, copy: copy)
            }
            if !treatments.keeps(name) {
                value = WebToken.replaced(in: value, by: values, redactions: &redactions)
            }
            if name == "accept-encoding" || name == "grpc-accept-encoding" { value = AcceptableCodings.readable(value) }
            guard PolicyValidation.isToken(field.name), value.allSatisfy(ASCII.isFieldOctet),
                let text = String(validating: value, as: UTF8.self)
            else { throw .unsendable }
            sent.append(ShadowRequest.Field(name: field.name, value: text))
        }
        return sent
    }

    /// The names that Connection says concern the connection only, in lower case (RFC 9110 §7.6.1).
    private static func nominated(by fields: [RecordedField]) -> Set<String> {
        var names: Set<String> = []
        for field in fields where field.isNamed("connection") {
            for name in field.value.split(separator: UInt8(ascii: ",")) {
                let octets = name.filter { $0 != 0x20 && $0 != 0x09 }
                names.insert(String(decoding: octets, as: UTF8.self).lowercased())
            }
        }
        return names
    }

    /// An idempotency key of this copy's own; one in quotation marks keeps them around it.
    private func suffixed(_ value: [UInt8], copy: Int) -> [UInt8] {
        let suffix = Array("-wm-\(ShadowMarker(node: target.name).node)-\(copy)".utf8)
        guard value.count > 1, value.last == UInt8(ascii: "\"") else { return value + suffix }
        return value.dropLast() + suffix + [UInt8(ascii: "\"")]
    }
}

/// What Accept-Encoding asks for, as far as answers in it can be compared (RFC 9110 §12.5.3).
enum AcceptableCodings {
    /// The codings that are read, and those that mean none.
    private static let known: Set<String> = ["gzip", "x-gzip", "deflate", "br", "identity"]

    /// The value without other codings.
    ///
    /// A star would allow them too, and goes; what is left of `zstd` alone is `identity`.
    static func readable(_ value: [UInt8]) -> [UInt8] {
        let members = value.split(separator: UInt8(ascii: ",")).filter { member in
            let coding = member.prefix { $0 != UInt8(ascii: ";") }.filter { $0 != 0x20 && $0 != 0x09 }
            return known.contains(String(decoding: coding, as: UTF8.self).lowercased())
        }
        guard !members.isEmpty else { return value.isEmpty ? value : Array("identity".utf8) }
        let trimmed = members.map { Array($0.drop { $0 == 0x20 || $0 == 0x09 }) }
        return Array(trimmed.joined(separator: ", ".utf8))
    }
}

extension MirrorTarget {
    /// Host and port as the Host field has them: an IPv6 address in brackets, the scheme's own port left out.
    public var authority: String {
        let bracketed = host.contains(":") ? "[\(host)]" : host
        return port == (usesTLS ? 443 : 80) ? bracketed : "\(bracketed):\(port)"
    }
}
