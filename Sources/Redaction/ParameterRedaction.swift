// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// Takes credentials out of the parameters of queries, paths and forms, and hashes those that a policy names.
package struct ParameterRedaction: Sendable {
    private let hashed: Set<String>
    private let kept: Set<String>
    private let values: ValueRedaction

    /// Makes a redaction by rules; hashes are those of `values`.
    package init(_ rules: RedactionRules, values: ValueRedaction) {
        hashed = Set(rules.hashedParameters.map { $0.lowercased() })
        kept = Set(rules.keptParameters.map { $0.lowercased() })
        self.values = values
    }

    /// What becomes of a credential that no policy asks to be hashed.
    package enum Credentials {
        /// Left out with its name, as fields are.
        case removed
        /// Replaced, where a form should keep its shape.
        case hashed
    }

    /// Whether the value of a parameter, its name decoded, is not sent as it is.
    func hides(_ name: String) -> Bool {
        hashed.contains(name.lowercased()) || isCredential(name)
    }

    private func isCredential(_ name: String) -> Bool {
        !kept.contains(name.lowercased()) && CredentialNames.contains(name)
    }

    // MARK: - Targets

    /// How deep links lie in links before one is left out whole.
    private static let depthLimit = 4

    /// A path and query, or a whole URL, without credentials; adds to `redactions` for each that was there.
    package func redacted(target: [UInt8], redactions: inout Int) -> [UInt8] {
        redacted(target: target, depth: 0, redactions: &redactions)
    }

    /// The URLs in a field such as Link (RFC 8288 §3) without credentials; everything around them stays.
    package func redacted(links value: [UInt8], redactions: inout Int) -> [UInt8] {
        var result: [UInt8] = []
        var rest = value[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "<")),
            let end = rest[start...].firstIndex(of: UInt8(ascii: ">"))
        {
            result += redacted(field: Array(rest[..<start]), redactions: &redactions) + [rest[start]]
            result += redacted(target: Array(rest[(start + 1)..<end]), depth: 0, redactions: &redactions)
            rest = rest[end...]
        }
        return result + redacted(field: Array(rest), redactions: &redactions)
    }

    /// The value of a field that is not known to hold a URL, without credentials; it stays as it was where there are none.
    ///
    /// It may be a URL all the same, hold several among other text, or be one with an encoding around it.
    package func redacted(field value: [UInt8], redactions: inout Int) -> [UInt8] {
        let links = LinkText.links(in: value)
        guard !links.isEmpty else {
            guard !value.contains(where: LinkText.isMark) else { return value }
            return redacted(encoded: value, depth: 0, redactions: &redactions)
        }
        var result: [UInt8] = []
        var copied = 0
        for link in links {
            result += value[copied..<link.lowerBound]
            result += redacted(link: Array(value[link]), redactions: &redactions)
            copied = link.upperBound
        }
        return result + value[copied...]
    }

    /// A link without credentials; as it was where there are none, with a fragment, too.
    private func redacted(link: [UInt8], redactions: inout Int) -> [UInt8] {
        var found = 0
        let redacted = redacted(target: link, depth: 0, redactions: &found)
        guard found > 0 else { return link }
        redactions += found
        return redacted
    }

    /// Hosts that a Forwarded field names (RFC 7239 §5.3), without users and passwords before them.
    package func redacted(forwarded value: [UInt8], redactions: inout Int) -> [UInt8] {
        var result = value
        for user in LinkText.usersOfForwarded(value).reversed() {
            result.removeSubrange(user)
            redactions += 1
        }
        return redacted(field: result, redactions: &redactions)
    }

    /// A host that a field names, without a user and a password before it.
    package func redacted(host value: [UInt8], redactions: inout Int) -> [UInt8] {
        guard let at = value.lastIndex(of: UInt8(ascii: "@")) else { return value }
        redactions += 1
        return Array(value[(at + 1)...])
    }

    /// Whether a value is a link in which credentials lie.
    func holdsCredentials(_ value: [UInt8]) -> Bool {
        guard LinkText.mayHoldCredentials(value) else { return false }
        var found = 0
        _ = redacted(target: value, depth: 0, redactions: &found)
        return found > 0
    }

    private func redacted(target: [UInt8], depth: Int, redactions: inout Int) -> [UInt8] {
        var target = target
        // The authority of a proxy's request, and that of any scheme: wss, postgres, mongodb+srv.
        if let user = LinkText.user(in: target) {
            target.removeSubrange(user)
            redactions += 1
        }
        let fragment = target.firstIndex(of: UInt8(ascii: "#")) ?? target.endIndex
        let withoutFragment = Array(target[..<fragment])
        let parts = RequestTargetParts(withoutFragment.span, withoutFragment.indices)
        var result = Array(withoutFragment[..<parts.path.lowerBound])
        // Fields hold URLs of any scheme; their queries begin at the same mark.
        let rest = withoutFragment[parts.path.lowerBound...]
        let mark = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        result += redacted(path: Array(rest[..<mark]), depth: depth, redactions: &redactions)
        if mark < rest.endIndex {
            let query = Array(rest[(mark + 1)...])
            let redacted = redacted(query: query, credentials: .removed, depth: depth, redactions: &redactions)
            if !redacted.isEmpty || query.isEmpty { result += [UInt8(ascii: "?")] + redacted }
        }
        // A fragment belongs to the client, and is not sent; some put tokens there.
        if fragment < target.endIndex {
            let fragment = Array(target[(fragment + 1)...])
            _ = redacted(query: fragment, credentials: .removed, depth: depth, redactions: &redactions)
        }
        return result
    }

    /// A path without the credentials in parameters that its segments carry behind semicolons (RFC 3986 §3.3), and in links
    /// that segments are.
    private func redacted(path: [UInt8], depth: Int, redactions: inout Int) -> [UInt8] {
        guard path.contains(where: { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "%") }) else { return path }
        var result: [UInt8] = []
        for (number, segment) in path.split(separator: 0x2F, omittingEmptySubsequences: false).enumerated() {
            if number > 0 { result.append(0x2F) }
            let parts = segment.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
            result += redacted(encoded: Array(parts.first ?? []), depth: depth, redactions: &redactions)
            for parameter in parts.dropFirst() {
                let kept = redacted(
                    parameter: Array(parameter),
                    credentials: .removed,
                    depth: depth,
                    redactions: &redactions
                )
                guard let kept else { continue }
                result += [UInt8(ascii: ";")] + kept
            }
        }
        return result
    }

    /// A value that may be a link with encodings around it; as it was where no credentials are in it, and nothing beyond the
    /// depth that is looked into.
    private func redacted(encoded value: [UInt8], depth: Int, redactions: inout Int) -> [UInt8] {
        guard value.contains(UInt8(ascii: "%")), let encoded = LinkText.find(in: value[...], isForm: false) else {
            return value
        }
        guard depth < Self.depthLimit else {
            redactions += 1
            return []
        }
        var found = 0
        let link = redacted(target: encoded.link, depth: depth + 1, redactions: &found)
        guard found > 0 else { return value }
        redactions += found
        return encoded.encoded(link)
    }

    // MARK: - Queries

    /// A query, or form content, without credentials.
    package func redacted(query: [UInt8], credentials: Credentials, redactions: inout Int) -> [UInt8] {
        redacted(query: query, credentials: credentials, depth: 0, redactions: &redactions)
    }

    private func redacted(
        query: [UInt8],
        credentials: Credentials,
        depth: Int,
        redactions: inout Int
    ) -> [UInt8] {
        var result: [UInt8] = []
        var isFirst = true
        var parameters = QueryParameters(query.span, query.indices)
        while let parameter = parameters.next() {
            let text = Array(query[parameter.whole])
            let kept = redacted(parameter: text, credentials: credentials, depth: depth, redactions: &redactions)
            guard let kept else { continue }
            if !isFirst { result.append(query[parameter.whole.lowerBound - 1]) }
            isFirst = false
            result += kept
        }
        return result
    }

    /// One parameter with its name; `nil` if it is not sent.
    private func redacted(
        parameter: [UInt8],
        credentials: Credentials,
        depth: Int,
        redactions: inout Int
    ) -> [UInt8]? {
        let end = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.endIndex
        let sign = end < parameter.endIndex ? end..<end + 1 : LinkText.encodedSign(in: parameter[...])
        var names = [LinkText.name(parameter[..<end])]
        // Behind an encoded sign more may be named: `a%3Db%26token%3D…`.
        if let sign, sign.lowerBound < end { names.append(LinkText.name(parameter[..<sign.lowerBound])) }
        let texts = names.map { String(decoding: $0, as: UTF8.self) }
        let isHashed = texts.contains { hashed.contains($0.lowercased()) }
        guard isHashed || texts.contains(where: isCredential) else {
            return redacted(linkOf: parameter, behind: sign, depth: depth, redactions: &redactions)
        }
        redactions += 1
        guard isHashed || credentials == .hashed else { return nil }
        guard let sign else { return parameter }
        let replacement = values.replacement(for: LinkText.decoded(parameter[sign.upperBound...], isForm: true))
        return Array(parameter[..<sign.upperBound]) + Self.encoded(replacement)
    }

    /// A parameter whose value may be a link with parameters of its own, as in `next=https%3A%2F%2Fh%2F%3Ftoken%3D…`.
    private func redacted(
        linkOf parameter: [UInt8],
        behind sign: Range<Int>?,
        depth: Int,
        redactions: inout Int
    ) -> [UInt8]? {
        guard let sign, let value = LinkText.find(in: parameter[sign.upperBound...]) else { return parameter }
        guard depth < Self.depthLimit else {
            redactions += 1
            return nil
        }
        var found = 0
        let link = redacted(target: value.link, depth: depth + 1, redactions: &found)
        guard found > 0 else { return parameter }
        redactions += found
        return Array(parameter[..<sign.upperBound]) + value.encoded(link)
    }

    /// What a replacement holds beside letters, digits and hyphens is encoded.
    private static func encoded(_ text: String) -> [UInt8] {
        text.utf8.flatMap { octet -> [UInt8] in
            switch octet {
            case UInt8(ascii: "@"): Array("%40".utf8)
            case UInt8(ascii: "+"): Array("%2B".utf8)
            default: [octet]
            }
        }
    }
}
