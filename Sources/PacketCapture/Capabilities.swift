// Wingmirror · Apache-2.0
// Capabilities: capabilities(7).

import Glibc

/// What the process may do, as far as capturing is concerned.
public struct Capabilities: Sendable, Hashable {
    /// The number of CAP_NET_RAW, which packet sockets need.
    private static let netRawBit = 13

    /// The effective capabilities, one bit each.
    public let effective: UInt64
    /// The permitted capabilities, which can be made effective at any time.
    public let permitted: UInt64
    /// Whether the effective user is root.
    public let isRoot: Bool

    /// Makes a description of its parts.
    init(effective: UInt64, permitted: UInt64, isRoot: Bool) {
        self.effective = effective
        self.permitted = permitted
        self.isRoot = isRoot
    }

    /// Reads the text of a `/proc/…/status`; `nil` when it says nothing about capabilities.
    init?(status: String, isRoot: Bool) {
        func set(_ name: String) -> UInt64? {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return line.flatMap { UInt64($0.dropFirst(name.count).filter { !$0.isWhitespace }, radix: 16) }
        }
        guard let effective = set("CapEff:"), let permitted = set("CapPrm:") else {
            return nil
        }
        self.init(effective: effective, permitted: permitted, isRoot: isRoot)
    }

    /// What the calling thread may do now; as nothing when the system does not say.
    ///
    /// Capabilities belong to threads. That of the process's first thread would be the wrong one to ask: in a Swift
    /// program it may have ended, and keeps in death what it had in life.
    public static var current: Capabilities {
        let isRoot = geteuid() == 0
        let status = SmallFile.read("/proc/thread-self/status") ?? ""
        return Capabilities(status: status, isRoot: isRoot)
            ?? Capabilities(effective: 0, permitted: 0, isRoot: isRoot)
    }

    /// Whether packets may be captured.
    public var mayCapture: Bool {
        effective >> Self.netRawBit & 1 == 1
    }

    /// The command that lets this program capture without being root.
    public static var grantCommand: String {
        "sudo setcap cap_net_raw=ep \(SmallFile.linkTarget("/proc/self/exe") ?? "PATH-OF-THIS-PROGRAM")"
    }
}
