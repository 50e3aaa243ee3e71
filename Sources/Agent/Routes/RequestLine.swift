// Wingmirror · Apache-2.0

package import RouteAttribution
import TrafficMetrics

/// Why words on the command line are no request.
package struct RequestLineError: Error, Equatable {
    /// What is wrong.
    package var message: String
    /// Whether it is a field line, rather than the method or the URL.
    package var isAboutHeader = false
}

/// A request as people write it: a method, a URL and field lines.
package struct RequestLine: Sendable, Equatable {
    /// The method.
    package var method: String
    /// The URL as written.
    package var url: String
    /// Whether the URL's scheme is https.
    package var isTLS: Bool
    /// The authority of the URL, which says where the connection goes.
    package var urlAuthority: String
    /// The value of the Host field: the URL's authority, unless a field line gives another.
    package var authority: String
    /// The path and query as written.
    package var target: String
    private var headerNames: [String] = []
    private var headerValues: [String] = []

    /// Reads `[METHOD] URL` and lines of the form `name: value`.
    package init(_ given: [String], headers: [String]) throws(RequestLineError) {
        let words = given.count == 1 ? Self.parts(of: given[0]) : given
        guard let url = words.last, words.count <= 2 else {
            throw RequestLineError(message: "expected a method and a URL, such as GET http://shop.example.com/")
        }
        method = words.count == 2 ? words[0] : "GET"
        self.url = url
        if words.count == 1, RequestMethodLabel.allCases.contains(where: { $0.text == url }) {
            throw RequestLineError(
                message: "\(url) is a method; name the URL too, such as \(url) http://shop.example.com/"
            )
        }
        if url.hasPrefix("http://") {
            isTLS = false
        } else if url.hasPrefix("https://") {
            isTLS = true
        } else if url.contains("://") || url.hasPrefix("/") {
            let expected = "expected a URL with http, https or no scheme, such as http://shop.example.com/x"
            throw RequestLineError(message: "\(expected), found \"\(url)\"")
        } else {
            // As a browser and curl take it.
            isTLS = false
        }
        let rest = url.hasPrefix("http") && url.contains("://") ? url.dropFirst(isTLS ? 8 : 7) : url[...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        // Clients keep user and password for the Authorization field, and send neither in Host (RFC 9110 §4.2.4).
        let host = rest[..<end].lastIndex(of: "@").map { rest.index(after: $0) } ?? rest.startIndex
        urlAuthority = String(rest[host..<end])
        authority = urlAuthority
        guard !authority.isEmpty else { throw RequestLineError(message: "the URL \"\(url)\" names no host") }
        guard Self.isAuthority(authority) else {
            throw RequestLineError(message: "expected a host, perhaps with a port, in the URL \"\(url)\"")
        }
        let path = rest[end...]
        target = path.hasPrefix("/") ? String(path) : "/" + path
        for line in headers {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                let example = "expected a header such as 'x-user: 7', found \"\(line)\""
                throw RequestLineError(message: example, isAboutHeader: true)
            }
            let name = String(line[..<colon])
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            if name.lowercased() == "host" {
                authority = String(value)
            } else {
                headerNames.append(name)
                headerValues.append(String(value))
            }
        }
    }

    /// Method and URL of one word, which quotes have made of two.
    private static func parts(of word: String) -> [String] {
        let parts = word.split(separator: " ", maxSplits: 1).map { $0.drop { $0 == " " } }.map(String.init)
        let isMethod = parts.count == 2 && RequestMethodLabel.allCases.contains { $0.text == parts[0] }
        return isMethod ? parts : [word]
    }

    /// The request for the route table.
    ///
    /// - Parameters:
    ///   - port: the Gateway server's port, where it is not that of the URL.
    ///   - isServerPort: whether `port` cannot be that of a pod.
    ///   - serverName: the TLS server name, where it is not the URL's host.
    ///   - namesHost: whether the request has a Host field.
    /// - Returns: the request as it would be sent.
    package func described(
        port: Int?,
        isServerPort: Bool = false,
        serverName: String?,
        namesHost: Bool = true
    ) -> DescribedRequest {
        let (host, written) = Self.split(urlAuthority)
        return DescribedRequest(
            method: method,
            target: target,
            authority: namesHost ? authority : nil,
            headers: zip(headerNames, headerValues).map { (name: $0, value: $1) },
            port: port ?? written ?? (isTLS ? 443 : 80),
            isServerPort: isServerPort && port != nil,
            isTLS: isTLS,
            serverName: isTLS ? serverName ?? host : nil
        )
    }

    /// Whether text is a host, perhaps with a port; an IPv6 address stands in brackets (RFC 3986 §3.2).
    private static func isAuthority(_ text: String) -> Bool {
        var rest = text[...]
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return false }
            rest = rest[rest.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return false }
        }
        guard let colon = rest.lastIndex(of: ":") else { return true }
        let port = rest[rest.index(after: colon)...]
        return port.isEmpty || port.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt16(port) != nil
    }

    /// The host of an authority, and its port where it has one.
    package static func split(_ authority: String) -> (host: String, port: Int?) {
        guard let colon = authority.lastIndex(of: ":"), authority[colon...].firstIndex(of: "]") == nil else {
            return (authority, nil)
        }
        return (String(authority[..<colon]), Int(authority[authority.index(after: colon)...]))
    }
}
