// Wingmirror · Apache-2.0
// Control groups: cgroups(7); the files are those of version 2, then of version 1.

/// How much memory the agent steers by, and why that much.
package struct MemoryBudget: Sendable, Equatable {
    /// Below this, a busy gateway's connections and routes may not fit.
    package static let comfortable = 128 << 20
    /// Without a configured budget the agent takes this part of what the control group or the machine has, in percent.
    private static let share = 75

    /// The budget, in octets.
    package var octets: Int
    /// Where it comes from, in words.
    package var origin: String

    /// The budget that a configuration and this machine give.
    package static func current(_ limits: LimitsConfiguration) -> MemoryBudget {
        if let configured = limits.memory {
            return MemoryBudget(octets: configured.octets, origin: "as limits.memory says")
        }
        let own = controlGroupPath ?? ""
        let limitFiles = [
            "/sys/fs/cgroup\(own)/memory.max", "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory\(own)/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ]
        let machine = machineOctets
        for path in limitFiles {
            if let limit = number(in: path), limit < machine {
                return MemoryBudget(octets: limit / 100 * share, origin: "\(share) % of the control group's limit")
            }
        }
        return MemoryBudget(
            octets: machine / 100 * share,
            origin: "\(share) % of the machine's memory, as there is no limit"
        )
    }

    /// What is to be shared out (``MemoryShare``): the budget without the packets that are kept.
    package static func shared(_ configuration: Configuration) -> MemoryBudget {
        var budget = current(configuration.limits)
        budget.octets = max(budget.octets - configuration.capture.keep.bytes.octets, 0)
        return budget
    }

    /// This process's group in the unified hierarchy, or in that of the memory controller.
    private static var controlGroupPath: String? {
        guard let octets = try? FileContents.read("/proc/self/cgroup", limit: 1 << 16) else { return nil }
        return controlGroupPath(in: String(decoding: octets, as: UTF8.self))
    }

    /// Reads the text of `/proc/self/cgroup`.
    static func controlGroupPath(in text: String) -> String? {
        let lines = text.split(separator: "\n").map {
            $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        }
        let line = lines.first { $0.count == 3 && $0[1] == "memory" } ?? lines.first { $0.count == 3 && $0[0] == "0" }
        guard let path = line?[2], path != "/", !path.contains("..") else { return nil }
        return String(path)
    }

    private static func number(in path: String) -> Int? {
        guard let octets = try? FileContents.read(path, limit: 64) else { return nil }
        return Int(String(decoding: octets, as: UTF8.self).filter { !$0.isWhitespace })
    }

    private static var machineOctets: Int {
        guard let octets = try? FileContents.read("/proc/meminfo", limit: 1 << 16) else { return 1 << 30 }
        return machineOctets(in: String(decoding: octets, as: UTF8.self)) ?? 1 << 30
    }

    /// Reads the text of `/proc/meminfo`.
    static func machineOctets(in text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 }
    }
}
