// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// What the packet path asks of one policy: plain values, and ranges of the lists in `PolicyRules`.
struct PolicyRule: Sendable {
    var hosts: Range<Int>
    var paths: Range<Int>
    var methods: Range<Int>
    var fields: Range<Int>
    /// Methods besides the safe ones that may be mirrored.
    var allowedMethods: Range<Int>
    /// Which list of sampling keys is used.
    var keyList: Int
    var share: SamplingShare
    var maximumContentOctets: Int64
}

/// A field that must be there.
struct FieldCondition: Sendable {
    /// The name in lower case.
    var name: OctetRange
    /// The value; empty if any will do.
    var value: OctetRange
}

/// A host, or all hosts below it.
struct HostPattern: Sendable {
    /// The host in lower case; for a wildcard what follows the asterisk.
    var text: OctetRange
    var isWildcard: Bool
}

/// One way to take the sampling hash.
struct KeyRule: Sendable {
    enum Source: UInt8 {
        case traceContext = 1
        case field = 2
        case cookie = 3
        case clientAddress = 4
        case exchange = 5
    }

    var source: Source
    /// The name of the field, in lower case, or of the cookie.
    var name: OctetRange
}

/// The rules of all policies in flat lists, so that a decision touches no reference but this one.
struct PolicyRules: Sendable {
    /// Every text that the lists refer to.
    private(set) var arena: [UInt8] = []
    private(set) var policies: [PolicyRule] = []
    private(set) var hosts: [HostPattern] = []
    private(set) var texts: [OctetRange] = []
    private(set) var fields: [FieldCondition] = []
    private(set) var keys: [KeyRule] = []
    private(set) var keyLists: [Range<Int>] = []
    private var keyListNumbers: [[SamplingKey]: Int] = [:]

    init(_ policies: [MirrorPolicy]) throws(MirrorPlanError) {
        for policy in policies { try append(policy) }
    }

    private mutating func append(_ policy: MirrorPolicy) throws(MirrorPlanError) {
        let firstHost = hosts.count
        for host in policy.match.hosts { hosts.append(try pattern(host, of: policy)) }
        let firstField = fields.count
        for (name, value) in policy.match.fields.sorted(by: { $0.key < $1.key }) {
            fields.append(FieldCondition(name: text(name.lowercased()), value: text(value)))
        }
        policies.append(
            PolicyRule(
                hosts: firstHost..<hosts.count,
                paths: append(policy.match.pathPrefixes.map(Self.withoutFinalSlash)),
                methods: append(policy.match.methods),
                fields: firstField..<fields.count,
                allowedMethods: append(policy.methods),
                keyList: append(policy.key),
                share: SamplingShare(percent: policy.percent),
                maximumContentOctets: Int64(max(0, policy.maximumContentOctets))
            )
        )
    }

    private mutating func pattern(_ host: String, of policy: MirrorPolicy) throws(MirrorPlanError) -> HostPattern {
        let lowered = host.lowercased()
        if lowered == "*" { return HostPattern(text: text(""), isWildcard: true) }
        let isWildcard = lowered.hasPrefix("*.")
        let rest = isWildcard ? lowered.dropFirst() : lowered[...]
        guard rest.utf8.count > 1, rest.utf8.allSatisfy({ ASCII.isTargetOctet($0) }),
            !rest.utf8.contains(where: { [UInt8(ascii: "*"), UInt8(ascii: "/")].contains($0) })
        else { throw MirrorPlanError(policy: policy.name, "\(host) is no host, and no wildcard such as *.example.com") }
        return HostPattern(text: text(String(rest)), isWildcard: isWildcard)
    }

    /// A prefix of whole segments says the same with and without a slash at its end.
    private static func withoutFinalSlash(_ prefix: String) -> String {
        prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
    }

    private mutating func append(_ list: [String]) -> Range<Int> {
        let first = texts.count
        for entry in list { texts.append(text(entry)) }
        return first..<texts.count
    }

    private mutating func append(_ list: [SamplingKey]) -> Int {
        if let number = keyListNumbers[list] { return number }
        let first = keys.count
        for key in list {
            switch key {
            case .traceContext: keys.append(KeyRule(source: .traceContext, name: text("")))
            case .field(let name): keys.append(KeyRule(source: .field, name: text(name.lowercased())))
            case .cookie(let name): keys.append(KeyRule(source: .cookie, name: text(name)))
            case .clientAddress: keys.append(KeyRule(source: .clientAddress, name: text("")))
            case .exchange: keys.append(KeyRule(source: .exchange, name: text("")))
            }
        }
        keyLists.append(first..<keys.count)
        keyListNumbers[list] = keyLists.count - 1
        return keyLists.count - 1
    }

    private mutating func text(_ text: String) -> OctetRange {
        let start = arena.count
        arena += text.utf8
        return OctetRange(start..<arena.count)
    }
}
