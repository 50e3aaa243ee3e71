// Wingmirror · Apache-2.0

internal import HTTPMessages

/// What is to be known of a request before it may be mirrored; found out once for all policies.
struct RequestFacts {
    /// Whether the method changes nothing by its definition (RFC 9110 §9.2.1).
    ///
    /// TRACE is safe too and left out: it answers with the request's own fields. Safe methods beyond HTTP's own, such as
    /// PROPFIND, must be named by a policy, because servers differ in what they make of them.
    let isSafe: Bool
    /// Whether the method is one that no policy may allow: CONNECT and TRACE.
    let isNeverSent: Bool
    /// Whether something in the request says that it is of another method.
    var isDisguised = false
    /// The policies that deny the path.
    let deniedBy: UInt32
    /// Whether the request holds what no target can be sent: another protocol, two hosts, or no path.
    var isUnsendable: Bool
    /// What Content-Length announces; the largest number if it is out of range, 0 without one.
    var announcedOctets: Int64 = 0

    init(_ request: borrowing RequestView, _ target: RequestTargetParts, denied: DeniedPaths) {
        let octets = request.octets
        let method = request.method
        let isGet = OctetText.matches(octets, method, "get")
        isSafe = Self.isMethod(request, "GET") || Self.isMethod(request, "HEAD") || Self.isMethod(request, "OPTIONS")
        isNeverSent = OctetText.matches(octets, method, "connect") || OctetText.matches(octets, method, "trace")
        let finding = denied.find(octets, target.path)
        deniedBy = finding.policies
        switch target.form {
        case .origin, .absolute: isUnsendable = request.version == .http09
        case .asterisk, .other: isUnsendable = true
        }
        if let query = target.query {
            isDisguised = MethodDisguise.disagrees(octets, query: query, methodIn: octets, method)
            if finding.isGraphQL, isGet || OctetText.matches(octets, method, "head"), !query.isEmpty {
                isDisguised = isDisguised || !GraphQLQuery.isSafe(octets, query)
            }
        }
        readFields(of: request)
    }

    /// Methods are told apart by case.
    private static func isMethod(_ request: borrowing RequestView, _ word: String) -> Bool {
        guard request.method.count == word.utf8.count else { return false }
        var index = request.method.lowerBound
        for octet in word.utf8 {
            guard request.octets[index] == octet else { return false }
            index += 1
        }
        return true
    }

    private mutating func readFields(of request: borrowing RequestView) {
        let octets = request.octets
        var hostCount = 0
        for index in request.fields.indices {
            let line = request.fields[index]
            // Names are told apart by length first, since most fields are none of these.
            switch line.name.count {
            case 4:
                if OctetText.matches(octets, line.name, "host") { hostCount += 1 }
            case 7:
                // The offer of HTTP/2 without TLS may be left out of a copy; any other protocol was what was wanted.
                if OctetText.matches(octets, line.name, "upgrade"), !OctetText.matches(octets, line.value, "h2c") {
                    isUnsendable = true
                }
            case 13, 17, 22:
                if MethodDisguise.isOverrideField(octets, line.name),
                    MethodDisguise.disagrees(octets, line.value, method: request.method)
                {
                    isDisguised = true
                }
            case 14:
                if OctetText.matches(octets, line.name, "content-length") {
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
        for index in request.target where !OctetText.isTargetOctet(request.octets[index]) { return false }
        for number in request.fields.indices {
            for index in request.fields[number].value where !OctetText.isFieldOctet(request.octets[index]) {
                return false
            }
        }
        return true
    }
}
