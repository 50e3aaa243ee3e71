// Wingmirror · Apache-2.0

import AnswerComparison
package import ShadowTesting
import TrafficModel

extension MirrorPolicy {
    /// Reads one entry of `mirror.policies`; without a name it is called by its place, `#0` the first.
    init(_ section: ConfigurationSection, number: Int, targets: [MirrorTarget]) {
        self.init(name: "#\(number)", targets: [])
        section.read("name", into: &name, as: .nonEmptyText("a name"))
        section.section("match") { match = MirrorMatch($0) }
        readTargets(section, known: targets.map(\.name))
        section.read("percent", into: &percent, as: .number(in: 0...100))
        var rate: Rate?
        section.read("rate", into: &rate, as: ConfigurationValue<Rate>.rate.map("a rate such as 50/s") { .some($0) })
        ratePerSecond = rate?.perSecond
        section.read("key", into: &key, as: .list(of: .samplingKey))
        section.read("methods", into: &methods, as: .list(of: .method))
        section.read("decrypted", into: &takesDecrypted, as: .flag)
        section.read("deniedPaths", into: &deniedPaths, as: .list(of: .pathPrefix))
        section.read("deniedParameters", into: &deniedParameters, as: .list(of: .nonEmptyText("a query parameter")))
        section.read("keptFields", into: &keptFields, as: .list(of: .fieldName))
        section.read("keptParameters", into: &keptParameters, as: .list(of: .nonEmptyText("a query parameter")))
        section.read("removedFields", into: &removedFields, as: .list(of: .fieldName))
        section.read("hashedFields", into: &hashedFields, as: .list(of: .fieldName))
        section.read("hashedParameters", into: &hashedParameters, as: .list(of: .nonEmptyText("a query parameter")))
        section.read("hashedContent", into: &hashedContent, as: .list(of: .nonEmptyText("a path such as user.email")))
        section.read("hashCredentialsInContent", into: &hashesCredentialsInContent, as: .flag)
        var content = ByteSize(maximumContentOctets)
        section.read("maximumContentBytes", into: &content, as: .byteSize(in: ByteSize(0)...ByteSize(mebibytes: 64)))
        maximumContentOctets = content.octets
        section.read("repeatShare", into: &repeatShare, as: .number(in: 0...1))
        section.section("comparison") { comparison = ComparisonSettings($0) }
    }

    /// Reads `target` or `targets`, and `baseline`, which must all be known.
    private mutating func readTargets(_ section: ConfigurationSection, known: [String]) {
        var target = ""
        section.read("target", into: &target, as: .nonEmptyText("the name of a target"))
        section.read("targets", into: &targets, as: .list(of: .nonEmptyText("the name of a target")))
        switch (target.isEmpty, targets.isEmpty) {
        case (false, true): targets = [target]
        case (true, true): section.refuse("target", "target is missing: expected the name of a target")
        case (false, false): section.refuse("target", "target and targets cannot both be given")
        case (true, false): break
        }
        var name = ""
        section.read("baseline", into: &name, as: .nonEmptyText("the name of a target"))
        baseline = name.isEmpty ? nil : name
        for target in targets where !known.contains(target) {
            section.refuse("target", "there is no target \"\(target)\" in mirror.targets")
        }
        if Set(targets).count < targets.count {
            section.refuse("targets", "a target is named twice")
        }
        guard let baseline else { return }
        if !known.contains(baseline) {
            section.refuse("baseline", "there is no target \"\(baseline)\" in mirror.targets")
        }
        if targets.contains(baseline) {
            section.refuse("baseline", "\"\(baseline)\" cannot be judged against itself: it is among the targets too")
        }
    }
}

extension MirrorMatch {
    /// Reads the section `match` of a policy.
    fileprivate init(_ section: ConfigurationSection) {
        self.init()
        var name = ""
        section.read("virtualService", into: &name, as: .nonEmptyText("namespace/name"))
        virtualService = name.isEmpty ? nil : name
        if !name.isEmpty, name.split(separator: "/", omittingEmptySubsequences: false).count != 2 {
            section.refuse("virtualService", "expected namespace/name, found \"\(name)\"")
        }
        var route = ""
        section.read("route", into: &route, as: .nonEmptyText("the name of a rule, or its place such as #3"))
        self.route = route.isEmpty ? nil : route
        section.read(
            "hosts",
            into: &hosts,
            as: .list(of: .nonEmptyText("a host such as shop.example.com or *.example.com"))
        )
        for host in hosts where Self.hasPort(host) {
            section.refuse("hosts", "\"\(host)\" has a port, and is matched by no request: hosts are compared without")
        }
        section.read("paths", into: &pathPrefixes, as: .list(of: .pathPrefix))
        section.read("methods", into: &methods, as: .list(of: .method))
        var fields: [String: String] = [:]
        section.read("fields", into: &fields, as: .textByKey)
        self.fields = Dictionary(fields.map { ($0.key.lowercased(), $0.value) }) { $1 }
    }

    /// Whether a port follows the name or the address in brackets.
    private static func hasPort(_ host: String) -> Bool {
        guard let colon = host.lastIndex(of: ":"), host[colon...].dropFirst().allSatisfy(\.isNumber) else {
            return false
        }
        let name = host[..<colon]
        return !name.contains(":") || name.hasSuffix("]")
    }
}

extension ComparisonSettings {
    /// Reads the section `comparison` of a policy.
    fileprivate init(_ section: ConfigurationSection) {
        self.init()
        section.read("ignoredPaths", into: &ignoredPaths, as: .list(of: .nonEmptyText("a path such as meta.requestId")))
        section.read("ignoredFields", into: &ignoredFields, as: .list(of: .fieldName))
        section.read("unorderedPaths", into: &unorderedPaths, as: .list(of: .nonEmptyText("a path such as items")))
        section.read("keyedPaths", into: &keyedPaths, as: .textByKey)
        section.read("numericTolerance", into: &numericTolerance, as: .number(in: 0...1))
        section.read("margin", into: &margin, as: .number(in: 0.000001...1))
        section.read("errorMargin", into: &errorMargin, as: .number(in: 0.000001...1))
        section.read("tailMargin", into: &tailMargin, as: .number(in: 0...1))
        section.read("latencyMargin", into: &latencyMargin, as: .number(in: 0...10))
        section.read("showsValues", into: &showsValues, as: .flag)
        section.read("coverageFloor", into: &coverageFloor, as: .number(in: 0...1))
        section.read("significance", into: &significance, as: .number(in: 0.000001...0.5))
        section.read("voteWindow", into: &voteWindow, as: .duration(in: .zero...(.seconds(86_400))))
        section.read("timeBlock", into: &timeBlock, as: .duration(in: .seconds(1)...(.seconds(3600))))
        section.read("recentWindow", into: &recentWindow, as: .duration(in: .seconds(60)...(.seconds(7 * 86_400))))
        section.read("versionField", into: &versionField, as: .fieldNameOrNone)
        var content = ByteSize(maximumContentOctets)
        section.read("maximumContentBytes", into: &content, as: .byteSize(in: ByteSize(0)...ByteSize(mebibytes: 64)))
        maximumContentOctets = content.octets
        section.read("maximumLag", into: &maximumLag, as: .duration(in: .seconds(1)...(.seconds(86_400))))
    }
}

extension ConfigurationValue where Value == String {
    /// A method; as methods have regard to case, one in lower case is no method that a gateway takes.
    fileprivate static var method: Self {
        ConfigurationValue<String>.text.map("a method in upper case such as POST") { text in
            text.isEmpty || text != text.uppercased() ? nil : text
        }
    }

    /// The beginning of a path.
    fileprivate static var pathPrefix: Self {
        ConfigurationValue<String>.text.map("a path such as /products") { $0.hasPrefix("/") ? $0 : nil }
    }
}

extension ConfigurationValue where Value == SamplingKey {
    /// `client`, `exchange`, `traceparent`, `cookie:NAME`, or the name of a field.
    fileprivate static var samplingKey: Self {
        ConfigurationValue<String>.text.map("traceparent, client, exchange, cookie:NAME, or a field such as x-user") {
            SamplingKey($0)
        }
    }
}

extension SamplingKey {
    /// Reads a key as the configuration has it.
    init?(_ text: String) {
        switch text.lowercased() {
        case "client": self = .clientAddress
        case "exchange": self = .exchange
        case "traceparent": self = .traceContext
        case let name where name.hasPrefix("cookie:"):
            guard text.utf8.count > 7 else { return nil }
            self = .cookie(String(text.dropFirst(7)))
        case let name:
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }) else {
                return nil
            }
            self = .field(name)
        }
    }

    /// The key as `init(_:)` reads it.
    package var text: String {
        switch self {
        case .traceContext: "traceparent"
        case .clientAddress: "client"
        case .exchange: "exchange"
        case .field(let name): name
        case .cookie(let name): "cookie:\(name)"
        }
    }
}
