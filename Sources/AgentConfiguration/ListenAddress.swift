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
            guard IPAddress(host)?.isIPv4 == false else { return nil }
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

extension ListenAddress {
    /// Where somebody on this machine finds the page that is served here.
    ///
    /// - Parameters:
    ///   - port: The port that was listened on in the end, where the address has none of its own.
    ///   - isSecured: Whether TLS is spoken there.
    /// - Returns: A URL with a slash at its end.
    package func pageURL(_ port: Int, isSecured: Bool = false) -> String {
        let host =
            switch self.host {
            case "0.0.0.0", "::", "": "127.0.0.1"
            case let host where host.contains(":"): "[\(host)]"
            default: self.host
            }
        return "\(isSecured ? "https" : "http")://\(host):\(port)/"
    }
}

extension ConfigurationValue where Value == ListenAddress? {
    /// An address and a port, or nothing.
    static var optionalListenAddress: Self {
        let address = ConfigurationValue<ListenAddress>.listenAddress
        return Self(expectation: "\"\", or \(address.expectation)") { node in
            node.text == "" ? .success(nil) : address.parse(node).map { $0 }
        }
    }
}
