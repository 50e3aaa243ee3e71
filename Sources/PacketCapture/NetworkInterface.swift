// Wingmirror · Apache-2.0

public import PacketDecoding

/// An interface that libpcap can capture on.
public struct NetworkInterface: Sendable, Hashable {
    /// Its name, as the configuration takes it.
    public let name: String
    /// Its IP addresses.
    public let addresses: [IPAddress]
    /// Whether it has been brought up.
    public let isUp: Bool
    /// Whether it is up and has a carrier.
    public let isRunning: Bool
    /// Whether it leads back to this machine.
    public let isLoopback: Bool

    /// Makes a description of its parts.
    public init(
        name: String,
        addresses: [IPAddress] = [],
        isUp: Bool = true,
        isRunning: Bool = true,
        isLoopback: Bool = false
    ) {
        self.name = name
        self.addresses = addresses
        self.isUp = isUp
        self.isRunning = isRunning
        self.isLoopback = isLoopback
    }

    /// The interfaces of this machine, or of this network namespace, `any` among them.
    /// - Throws: `.captureFailed` when the system does not list them.
    public static func all() throws(CaptureError) -> [NetworkInterface] {
        do {
            return try PcapHandle.findInterfaces()
        } catch {
            throw CaptureError(.captureFailed, "the interfaces cannot be listed", cause: error.reason)
        }
    }

    /// Which interfaces to capture on when none is named: those that have one of the gateway's addresses, or else
    /// `any`, which is all of them.
    public static func automatic(_ interfaces: [NetworkInterface], for addresses: [IPAddress]) -> [String] {
        let holders = interfaces.filter { !$0.isLoopback && !Set($0.addresses).isDisjoint(with: addresses) }
        return holders.isEmpty ? ["any"] : holders.map(\.name)
    }
}
