// Wingmirror · Apache-2.0
// Request targets as URIs: RFC 9112 §3.2 and §3.3; queries as forms write them: WHATWG URL §5.1.

import OctetText

/// Where a request went, as an absolute URI without fragment.
struct HARLocation: Equatable {
    /// The URI; octets that have no place in one are percent-encoded.
    let url: String
    /// The parameters of the query, decoded.
    let parameters: [Parameter]

    struct Parameter: Equatable {
        var name: String
        var value: String
        /// Whether name and value have escapes for octets that are no UTF-8.
        var isEscaped = false
    }

    /// Joins a request target to the Host it was sent with, or without one to where it was sent.
    init(
        target: [UInt8],
        host: [UInt8],
        server: (address: String, port: Int),
        method: String,
        isSecured: Bool = false
    ) {
        let target = target.prefix { $0 != UInt8(ascii: "#") }
        let scheme = isSecured ? "https" : "http"
        let ownPort = isSecured ? 443 : 80
        let authority = host.isEmpty ? Self.authority(of: server, ownPort: ownPort) : Self.encoded(host[...])
        let path = Self.encoded(target)
        if method == "CONNECT" {
            url = "http://\(path)/"
        } else if ["http://", "https://"].contains(where: { path.lowercased().hasPrefix($0) }) {
            url = path
        } else if path == "*" {
            // The asterisk stands for the server as a whole: its path and query are empty (RFC 9112 §3.3).
            url = "\(scheme)://\(authority)"
        } else {
            url = "\(scheme)://\(authority)" + (path.hasPrefix("/") ? path : "/" + path)
        }
        guard let mark = target.firstIndex(of: UInt8(ascii: "?")) else {
            parameters = []
            return
        }
        parameters = target[(mark + 1)...].split(separator: UInt8(ascii: "&")).map { part in
            let parts = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return Parameter(name: Self.decoded(parts[0]), value: parts.count == 2 ? Self.decoded(parts[1]) : [])
        }
    }

    /// A server's address as URIs have it: IPv6 in brackets, and the port unless it is the scheme's own (RFC 3986 §3.2).
    private static func authority(of server: (address: String, port: Int), ownPort: Int) -> String {
        // The top-level domain is one that never resolves (RFC 6761 §6.4).
        guard !server.address.isEmpty else { return "unknown.invalid" }
        let host = server.address.contains(":") ? "[\(server.address)]" : server.address
        return [0, ownPort].contains(server.port) ? host : "\(host):\(server.port)"
    }

    /// Writes octets that URIs do not have as `%XX`.
    private static func encoded(_ octets: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(octets.count)
        for octet in octets {
            if (0x21..<0x7F).contains(octet), !#""<>\^`{|}"#.utf8.contains(octet) {
                text.append(octet)
            } else {
                text.append(percentEncoded: octet)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Takes percent-encoding off once; what is none stays as it is.
    private static func decoded(_ octets: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        var index = octets.startIndex
        while index < octets.endIndex {
            let octet = octets[index]
            index += 1
            if octet == UInt8(ascii: "%"), index + 1 < octets.endIndex, let high = digit(octets[index]),
                let low = digit(octets[index + 1])
            {
                text.append(high << 4 | low)
                index += 2
            } else {
                text.append(octet == UInt8(ascii: "+") ? 0x20 : octet)
            }
        }
        return text
    }

    private static func digit(_ octet: UInt8) -> UInt8? {
        Character(Unicode.Scalar(octet)).hexDigitValue.map(UInt8.init)
    }
}

extension HARLocation.Parameter {
    /// Writes a parameter as text, with escapes where it needs them.
    init(name: [UInt8], value: [UInt8]) {
        isEscaped = OctetEscapes.areNeeded(for: name) || OctetEscapes.areNeeded(for: value)
        self.name = isEscaped ? OctetEscapes.text(name) : String(decoding: name, as: UTF8.self)
        self.value = isEscaped ? OctetEscapes.text(value) : String(decoding: value, as: UTF8.self)
    }
}
