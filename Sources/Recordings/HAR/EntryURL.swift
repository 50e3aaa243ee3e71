// Wingmirror · Apache-2.0
// URIs: RFC 3986 §3; request targets: RFC 9112 §3.2.

/// The URL of an archive's entry, as the request said it.
struct EntryURL {
    /// The request target.
    let target: String
    /// Host and port.
    let authority: String
    /// Whether the scheme is one inside TLS.
    let isSecured: Bool
    /// Whether the request asked for a WebSocket.
    let isWebSocket: Bool

    private static let schemes = ["http", "https", "ws", "wss"]

    /// Reads a URL.
    ///
    /// - Throws: `.notHTTP` for one of another scheme, `.malformedRecord` for what is none.
    init(_ url: String, method: String) throws(RecordingLoss) {
        guard let colon = url.firstIndex(of: ":"), colon > url.startIndex,
            url[..<colon].utf8.allSatisfy({ Self.isOfScheme($0) })
        else { throw .malformedRecord }
        let scheme = url[..<colon].lowercased()
        guard Self.schemes.contains(scheme) else { throw .notHTTP }
        isSecured = scheme == "https" || scheme == "wss"
        isWebSocket = scheme == "ws" || scheme == "wss"
        guard url[colon...].hasPrefix("://") else { throw .malformedRecord }
        let rest = url[colon...].dropFirst(3).prefix { $0 != "#" }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        authority = String(rest[..<end].split(separator: "@").last ?? "")
        guard !authority.isEmpty else { throw .malformedRecord }
        let path = String(rest[end...])
        if method == "CONNECT" {
            target = authority
        } else if method == "OPTIONS", path.isEmpty {
            // A server as a whole has no path (RFC 9112 §3.2.4).
            target = "*"
        } else {
            target = path.hasPrefix("/") ? path : "/" + path
        }
    }

    private static func isOfScheme(_ octet: UInt8) -> Bool {
        let scalar = Unicode.Scalar(octet)
        return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
            || "+-.".unicodeScalars.contains(scalar)
    }
}
