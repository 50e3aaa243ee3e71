// Wingmirror · Apache-2.0

/// Shadow traffic: where it would go, and which requests.
///
/// Two switches are needed before anything is sent, `enabled` and a policy. This version has no dispatcher, so it checks
/// targets and policies for mistakes and refuses `enabled: true`.
struct MirrorConfiguration: Sendable, Equatable {
    /// The targets, by name.
    var targets: [String: MirrorTarget] = [:]
    /// The policies, in order.
    var policies: [MirrorPolicy] = []
}

/// A place that shadow traffic may be sent to.
struct MirrorTarget: Sendable, Equatable {
    /// The scheme, host and port.
    var url = ""
    /// The hosts that requests may name there.
    var hosts: [String] = []
    /// The most requests in a second.
    var rate = Rate(perSecond: 50)
    /// The most requests without an answer.
    var inFlight = 64
    /// The most octets of requests waiting.
    var bytes = ByteSize(mebibytes: 64)
}

/// Which requests are sampled for a target, and how many of them.
struct MirrorPolicy: Sendable, Equatable {
    /// The VirtualService, as `namespace/name`; `nil` for every one.
    var virtualService: String?
    /// The name of the target.
    var target = ""
    /// The share of the requests, 0 to 100.
    var percent = 0.0
    /// What the sampling hash is taken of: the first of these that a request has.
    var key = ["traceparent", "x-request-id", "client"]
}

extension MirrorConfiguration {
    /// Reads the section `mirror`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.refuseWhenTrue("enabled", "mirroring is not built yet; use false")
        section.namedSections("targets") { name, target in
            targets[name] = MirrorTarget(target)
        }
        section.sections("policies") { policy in
            policies.append(MirrorPolicy(policy, targets: targets))
        }
    }
}

extension MirrorTarget {
    /// Reads one entry of `mirror.targets`.
    fileprivate init(_ section: ConfigurationSection) {
        self.init()
        section.require("url", into: &url, as: .url)
        section.read("hosts", into: &hosts, as: .list(of: .nonEmptyText("a host name")))
        section.read("rate", into: &rate, as: .rate)
        section.read("inFlight", into: &inFlight, as: .integer(in: 1...100_000))
        section.read("bytes", into: &bytes, as: .byteSize(in: ByteSize(kibibytes: 64)...ByteSize(mebibytes: 16_384)))
    }
}

extension MirrorPolicy {
    /// Reads one entry of `mirror.policies`.
    fileprivate init(_ section: ConfigurationSection, targets: [String: MirrorTarget]) {
        self.init()
        section.section("match") { match in
            var name = ""
            match.read("virtualService", into: &name, as: .nonEmptyText("namespace/name"))
            virtualService = name.isEmpty ? nil : name
        }
        section.require("target", into: &target, as: .nonEmptyText("the name of a target"))
        section.read("percent", into: &percent, as: .number(in: 0...100))
        section.read("key", into: &key, as: .list(of: .nonEmptyText("client, or a field name")))
        if !target.isEmpty, targets[target] == nil {
            section.refuse("target", "there is no target \"\(target)\" in mirror.targets")
        }
    }
}
