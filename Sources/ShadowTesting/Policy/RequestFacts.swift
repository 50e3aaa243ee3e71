// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// What is to be known of a request before it may be mirrored; found out once for all policies.
struct RequestFacts {
    /// What the method is in general.
    let method: MethodSafety
    /// Whether something in the request says that it is of another method.
    var isDisguised = false
    /// The policies that deny the path or the query.
    var deniedBy: UInt32
    /// Whether the request holds what no target can be sent: another protocol, two hosts, or no path.
    var isUnsendable: Bool
    /// The value of the `traceparent` field; `nil` without one, or with several, of which none is to be believed.
    var traceparent: Range<Int>?
    /// What Content-Length announces; the largest number if it is out of range, 0 without one.
    var announcedOctets: Int64 = 0

    init(_ request: borrowing RequestView, _ target: RequestTargetParts, denied: DeniedPaths) {
        let octets = request.octets
        method = MethodSafety(octets, request.method)
        let finding = denied.find(octets, target.path)
        deniedBy = finding.policies
        switch target.form {
        case .origin, .absolute: isUnsendable = request.version == .http09
        case .asterisk, .other: isUnsendable = true
        }
        if let query = target.query {
            if deniedBy != .max { deniedBy |= denied.policies(denying: query, of: octets, behind: finding.last) }
            isDisguised = MethodDisguise.disagrees(octets, query: query, methodIn: octets, request.method)
            if finding.isGraphQL, method == .safe, !query.isEmpty {
                isDisguised = isDisguised || !GraphQLQuery.isSafe(octets, query)
            }
        }
        readFields(of: request)
    }

    private mutating func readFields(of request: borrowing RequestView) {
        let octets = request.octets
        var hostCount = 0
        var traceparentCount = 0
        for index in request.fields.indices {
            let line = request.fields[index]
            // Names are told apart by length first, since most fields are none of these.
            switch line.name.count {
            case 4:
                if octets.matches(line.name, "host") { hostCount += 1 }
            case 7:
                // The offer of HTTP/2 without TLS may be left out of a copy; any other protocol was what was wanted.
                if octets.matches(line.name, "upgrade"), !octets.matches(line.value, "h2c") {
                    isUnsendable = true
                }
            case 11:
                if octets.matches(line.name, "traceparent") {
                    traceparentCount += 1
                    traceparent = traceparentCount == 1 ? line.value : nil
                }
            case 13, 17, 22:
                if MethodDisguise.isOverrideField(octets, line.name),
                    MethodDisguise.disagrees(octets, line.value, method: request.method)
                {
                    isDisguised = true
                }
            case 14:
                if octets.matches(line.name, "content-length") {
                    announcedOctets = max(announcedOctets, Self.number(octets, line.value))
                }
            default: break
            }
        }
        if hostCount > 1 { isUnsendable = true }
    }

    /// The number that digits name; the largest for anything else.
    private static func number(_ octets: Span<UInt8>, _ range: Range<Int>) -> Int64 {
        var number: Int64 = 0
        guard range.count <= 18 else { return .max }
        for index in range {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= octets[index] else { return .max }
            number = number * 10 + Int64(octets[index] - UInt8(ascii: "0"))
        }
        return number
    }

    /// Whether target and field values hold only what may stand in a request that is sent.
    ///
    /// Touches every octet of the head, so it is asked of sampled requests only.
    static func isText(_ request: borrowing RequestView) -> Bool {
        for index in request.target where !ASCII.isTargetOctet(request.octets[index]) { return false }
        for number in request.fields.indices {
            for index in request.fields[number].value where !ASCII.isFieldOctet(request.octets[index]) {
                return false
            }
        }
        return true
    }
}

/// Whether requests with a method may be mirrored, as far as the method tells.
enum MethodSafety {
    /// Changes nothing by its definition (RFC 9110 §9.2.1): GET, HEAD and OPTIONS.
    case safe
    /// Mirrored only where a policy names it.
    ///
    /// Among these are safe methods beyond HTTP's own, such as PROPFIND, because servers differ in what they make of them.
    case other
    /// CONNECT, which no copy can carry, and TRACE, which is safe but answers with the request's own fields.
    case never

    /// Judges a method; which are told apart by case, but for those that are never mirrored.
    init(_ octets: Span<UInt8>, _ method: Range<Int>) {
        let isNever = octets.matches(method, "connect") || octets.matches(method, "trace")
        var word: UInt64 = 0
        for index in method.prefix(8) { word = word << 8 | UInt64(octets[index]) }
        switch (method.count, word) {
        case (3, 0x47_4554), (4, 0x4845_4144), (7, 0x4F_5054_494F_4E53): self = .safe
        default: self = isNever ? .never : .other
        }
    }
}
