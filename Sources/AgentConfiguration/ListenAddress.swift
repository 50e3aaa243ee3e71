// Wingmirror · Apache-2.0

import PacketDecoding

/// Where a server listens.
package struct ListenAddress: Sendable, Hashable {
    /// An address or a host name; an IPv6 address without brackets.
    package var host: String
    /// The port; 0 lets the system choose.
    package var port: Int
}

extension ListenAddress: CustomStringConvertible {
    /// Reads `HOST:PORT`, `[IPV6]:PORT` or `:PORT`, which means every IPv4 address; `nil` for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(decimal: text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard IPAddress(text: host)?.isIPv4 == false else { return nil }
        } else if host.contains(":") || host.contains(where: \.isWhitespace) {
            return nil
        }
        self.init(host: host.isEmpty ? "0.0.0.0" : String(host), port: Int(port))
    }

    /// The address as `init(_:)` reads it.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension ConfigurationValue where Value == ListenAddress {
    /// An address and a port.
    static var listenAddress: Self {
        ConfigurationValue<String>.text.map("an address and port such as 0.0.0.0:9646") { ListenAddress($0) }
    }
}
