// Wingmirror · Apache-2.0
// The tables of sockets in proc(5), `/proc/net/tcp` and `/proc/net/tcp6`.

import AgentConfiguration
import PacketDecoding

/// Who listens for TCP connections on this machine, or in this network namespace.
struct ListeningSockets: Sendable, Equatable {
    /// The state that the kernel calls TCP_LISTEN.
    private static let listenState = "0A"

    /// The addresses listened on, each with its port; the address of all zeros stands for every address.
    private(set) var endpoints: Set<Endpoint> = []

    /// Reads the tables of this machine; what cannot be read has no sockets.
    static func current() -> ListeningSockets {
        var sockets = ListeningSockets()
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            if let octets = try? FileContents.read(path, limit: 64 << 20) {
                sockets.add(table: String(decoding: octets, as: UTF8.self))
            }
        }
        return sockets
    }

    /// Adds the listening sockets of a table's text; lines that are none of its rows are passed over.
    mutating func add(table: String) {
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 3, fields[3] == Self.listenState, let endpoint = Self.endpoint(fields[1]) else {
                continue
            }
            endpoints.insert(endpoint)
        }
    }

    /// The addresses on which someone listens at `port`, with "every address" replaced by those of this machine.
    func addresses(at port: UInt16, of machine: [IPAddress]) -> Set<IPAddress> {
        var found: Set<IPAddress> = []
        for endpoint in endpoints where endpoint.port == port {
            if endpoint.address.isUnspecified {
                let isIPv4Only = endpoint.address.isIPv4
                found.formUnion(machine.filter { !isIPv4Only || $0.isIPv4 })
            } else {
                found.insert(endpoint.address)
            }
        }
        return found
    }

    /// Reads `0100007F:1F90`: words of four octets as the machine stores them, then the port.
    private static func endpoint(_ text: Substring) -> Endpoint? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16) else { return nil }
        let digits = Array(parts[0])
        guard digits.count == 8 || digits.count == 32 else { return nil }
        let words = stride(from: 0, to: digits.count, by: 8).map { UInt32(String(digits[$0..<$0 + 8]), radix: 16) }
        let hostWords = words.compactMap { $0.map { UInt32(bigEndian: $0) } }
        guard hostWords.count == words.count else { return nil }
        if hostWords.count == 1 {
            return Endpoint(address: IPAddress(ipv4: hostWords[0]), port: port)
        }
        let high = UInt64(hostWords[0]) << 32 | UInt64(hostWords[1])
        let low = UInt64(hostWords[2]) << 32 | UInt64(hostWords[3])
        return Endpoint(address: IPAddress(high: high, low: low), port: port)
    }
}

extension IPAddress {
    /// Whether this is 0.0.0.0 or ::, which stand for every address.
    fileprivate var isUnspecified: Bool {
        self == IPAddress(ipv4: 0) || self == IPAddress(high: 0, low: 0)
    }

    /// Whether this address leads back to the machine itself.
    var isLoopback: Bool {
        isIPv4 ? low & 0xFF00_0000 == 0x7F00_0000 : self == IPAddress(high: 0, low: 1)
    }
}
