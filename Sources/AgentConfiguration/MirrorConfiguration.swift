// Wingmirror · Apache-2.0

import AnswerComparison
package import ShadowTesting

/// Shadow traffic: where it goes, which requests, and what makes it stop.
///
/// Two switches are needed before anything is sent: `enabled`, and a policy.
package struct MirrorConfiguration: Sendable, Equatable {
    /// Whether requests are sent at all.
    package var enabled = false
    /// Whether sending is paused for now; capture, metrics and verdicts so far go on.
    package var paused = false
    /// The name in the marker of each request sent; empty for the machine's.
    package var node = ""
    /// What the sampling hash is keyed with; the same on all nodes, or they choose different requests.
    package var samplingSecret = ""
    /// The most octets of all copies that wait, and of answers that are compared.
    package var memory = ByteSize(mebibytes: 64)
    /// The most octets sent in a second, to all targets together.
    package var egress = ByteSize(mebibytes: 64)
    /// What pauses sending by itself.
    package var protection = MirrorProtection()
    /// The targets, ordered by name.
    package var targets: [MirrorTarget] = []
    /// The policies, in order.
    package var policies: [MirrorPolicy] = []

    /// Whether anything can be sent: both switches are on.
    package var isActive: Bool { enabled && !policies.isEmpty }

    /// Makes a configuration of defaults: nothing is sent.
    package init() {}

    /// Takes over which statuses of gRPC are errors of a route, so that they are errors of targets too.
    mutating func errorsOfCalls(are statuses: [Int]) {
        for index in policies.indices { policies[index].comparison.grpcErrorStatuses = Set(statuses) }
    }
}

/// When the agent stops sending by itself, to spare the node.
package struct MirrorProtection: Sendable, Equatable {
    /// The share of packets that the kernel may drop, 0 to 1.
    package var kernelDrops: Double
    /// The share of `limits.memory` that may be in use, 0 to 1.
    package var memory: Double
    /// The most processors' time that the agent may use, such as 1.5.
    package var processors: Double
    /// How long the cause must be gone before sending goes on.
    package var rest: Duration

    /// Makes protection of its parts.
    init(
        kernelDrops: Double = 0.001,
        memory: Double = 0.9,
        processors: Double = 2,
        rest: Duration = .seconds(30)
    ) {
        self.kernelDrops = kernelDrops
        self.memory = memory
        self.processors = processors
        self.rest = rest
    }
}

extension MirrorConfiguration {
    /// The most policies: each has a bit in what is remembered of a request.
    static let policyLimit = 32

    /// Reads the section `mirror`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("enabled", into: &enabled, as: .flag)
        section.read("paused", into: &paused, as: .flag)
        section.read("node", into: &node, as: .text)
        section.read("samplingSecret", into: &samplingSecret, as: .text)
        section.read("memory", into: &memory, as: .byteSize(in: ByteSize(mebibytes: 1)...ByteSize(mebibytes: 65_536)))
        section.read("egress", into: &egress, as: .byteSize(in: ByteSize(kibibytes: 1)...ByteSize(mebibytes: 65_536)))
        section.section("protection") { protection = MirrorProtection($0) }
        section.namedSections("targets") { name, target in
            targets.append(MirrorTarget(target, name: name))
        }
        targets.sort { $0.name < $1.name }
        section.sections("policies") { policy in
            policies.append(MirrorPolicy(policy, number: policies.count, targets: targets))
        }
        if policies.count > Self.policyLimit {
            section.refuse("policies", "at most \(Self.policyLimit) policies are possible, found \(policies.count)")
        }
        var names = Set<String>()
        for policy in policies where !names.insert(policy.name).inserted {
            section.refuse(
                "policies",
                "two policies have the name \"\(policy.name)\"; their counts could not be distinguished"
            )
        }
        if enabled, policies.isEmpty {
            section.refuse("enabled", "nothing would be mirrored: there are no policies")
        }
    }
}

extension MirrorProtection {
    /// Reads the section `mirror.protection`.
    fileprivate init(_ section: ConfigurationSection) {
        self.init()
        section.read("kernelDrops", into: &kernelDrops, as: .number(in: 0...1))
        section.read("memory", into: &memory, as: .number(in: 0.1...1))
        section.read("cpu", into: &processors, as: .number(in: 0.01...1024))
        section.read("rest", into: &rest, as: .duration(in: .seconds(1)...(.seconds(86_400))))
    }
}
