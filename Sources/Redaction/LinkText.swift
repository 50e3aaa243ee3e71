// Wingmirror · Apache-2.0
// Uniform Resource Identifiers, RFC 3986.

import OctetText

/// Values that are links: URLs, or paths with a query, as parameters and fields hold them.
enum LinkText {
    /// How many percent-encodings, one around the other, are taken off a value or a name.
    static let encodingLimit = 4

    /// What divides a link: its query, parameters behind semicolons, its fragment, and what stands before its host.
    static func isMark(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "?"), UInt8(ascii: ";"), UInt8(ascii: "@"), UInt8(ascii: "#"): true
        default: false
        }
    }

    /// Whether a value, decoded, may be a link in which credentials lie: in its query, behind semicolons or before its host.
    ///
    /// Without a scheme and a slash, as in `home?token=…`, it is one where a parameter with a value follows.
    static func mayHoldCredentials(_ value: [UInt8]) -> Bool {
        guard let mark = value.firstIndex(where: isMark) else { return false }
        if beginsAsLink(value) { return true }
        let parameters = value[mark...].drop { $0 == UInt8(ascii: "@") }
        return parameters.contains { isMark($0) && $0 != UInt8(ascii: "@") } && parameters.contains(UInt8(ascii: "="))
    }

    /// Whether a value begins as a path or with a scheme.
    static func beginsAsLink(_ value: [UInt8]) -> Bool { value.first == UInt8(ascii: "/") || hasScheme(value) }

    /// Whether a value without a scheme and a slash is a link all the same: words without spaces, behind which a query or
    /// fragment with a parameter follows, as in `home?token=…`.
    static func isRelative(_ value: [UInt8]) -> Bool {
        guard let mark = value.firstIndex(where: { isMark($0) || $0 <= 0x20 }),
            value[mark] == UInt8(ascii: "?") || value[mark] == UInt8(ascii: "#")
        else { return false }
        let parameters = value[mark...]
        return parameters.contains(UInt8(ascii: "=")) && !parameters.contains { $0 <= 0x20 }
    }

    // MARK: - Links among other text

    /// Where links lie in the value of a field, as in `main="https://h/a?b=c", <wss://h/d>` or `/a?b=c https://h/d`.
    ///
    /// That is all of it, without quotes, where it begins as a link and holds none with a scheme. Else it is each link with a scheme,
    /// and each word beside those that is a path, a link without a scheme, or has an encoding around it. A word that a link
    /// with a scheme ends is one with that, as in `/go?a=b&u=https://h/d`.
    static func links(in value: [UInt8]) -> [Range<Int>] {
        let withScheme = linksWithScheme(in: value)
        if withScheme.isEmpty, let whole = wholeLink(value) { return [whole] }
        var links: [Range<Int>] = []
        var end = 0
        for link in withScheme {
            links += words(in: value, end..<link.lowerBound)
            if let word = links.last, word.upperBound == link.lowerBound, isLink(Array(value[word])) {
                links[links.count - 1] = word.lowerBound..<link.upperBound
            } else {
                links.append(link)
            }
            end = link.upperBound
        }
        return links + words(in: value, end..<value.count)
    }

    /// Whether a value begins as a link, or is one without a scheme.
    private static func isLink(_ value: [UInt8]) -> Bool { beginsAsLink(value) || isRelative(value) }

    /// All of a value but the quotes around it, if it is a link.
    private static func wholeLink(_ value: [UInt8]) -> Range<Int>? {
        let start = value.first == UInt8(ascii: "\"") ? 1 : 0
        let end = start == 1 && value.count > 1 && value.last == UInt8(ascii: "\"") ? value.count - 1 : value.count
        return isLink(Array(value[start..<end])) ? start..<end : nil
    }

    /// Where words lie in a part of a value that may be links without a scheme, or links with an encoding around them.
    private static func words(in value: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
        // Most text, and most words, have nothing that a link with credentials has.
        guard value[range].contains(where: isMarkOrEncoding) else { return [] }
        return value[range].split { $0 <= 0x20 || $0 == 0x7F }.flatMap { word -> [Range<Int>] in
            guard word.contains(where: isMarkOrEncoding) else { return [] }
            return link(in: word).map { [$0] } ?? word.split(whereSeparator: endsLink).compactMap(link)
        }
    }

    private static func isMarkOrEncoding(_ octet: UInt8) -> Bool { isMark(octet) || octet == UInt8(ascii: "%") }

    /// Where a link lies in a word, without what stands around it.
    private static func link(in word: ArraySlice<UInt8>) -> Range<Int>? {
        var link = word.drop { endsLink($0) || endsSentence($0) || $0 == UInt8(ascii: "(") }
        if beginsAsLink(Array(link)) {
            link = link.prefix { !endsLink($0) }
        } else if !isRelative(Array(link)), !link.contains(UInt8(ascii: "%")) {
            return nil
        }
        while let last = link.last, endsSentence(last) { link.removeLast() }
        return link.isEmpty ? nil : link.indices
    }

    /// Where links with a scheme lie in a value.
    private static func linksWithScheme(in value: [UInt8]) -> [Range<Int>] {
        var links: [Range<Int>] = []
        var index = 0
        var previousEnd = 0
        while let colon = value[index...].firstIndex(of: UInt8(ascii: ":")) {
            index = colon + 1
            guard value[colon...].starts(with: "://".utf8) else { continue }
            // Schemes may have another before them: `jdbc:postgresql://`.
            let start = value[previousEnd..<colon].lastIndex { !isSchemeOctet($0) }.map { $0 + 1 } ?? previousEnd
            var end = value[index...].firstIndex(where: endsLink) ?? value.endIndex
            while endsSentence(value[end - 1]) { end -= 1 }
            if start < colon { links.append(start..<end) }
            index = end
            previousEnd = end
        }
        return links
    }

    /// What is in the scheme of a link, or in one before it.
    private static func isSchemeOctet(_ octet: UInt8) -> Bool {
        ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet == UInt8(ascii: "+") || octet == UInt8(ascii: "-")
            || octet == UInt8(ascii: ".") || octet == UInt8(ascii: ":")
    }

    /// What no URL holds (RFC 3986 appendix C): spaces, controls, and what others put around one.
    private static func endsLink(_ octet: UInt8) -> Bool {
        octet <= 0x20 || octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "<") || octet == UInt8(ascii: ">")
            || octet == 0x7F
    }

    /// What divides the members of a list or closes a sentence where it comes last, and is then none of the link's.
    private static func endsSentence(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: ",") || octet == UInt8(ascii: ";") || octet == UInt8(ascii: "'")
            || octet == UInt8(ascii: ")")
    }

    /// What names a user in the hosts of a Forwarded field (RFC 7239 §5.3), with the at sign behind it.
    static func usersOfForwarded(_ value: [UInt8]) -> [Range<Int>] {
        var users: [Range<Int>] = []
        var start = 0
        var isQuoted = false
        for index in 0...value.count {
            if index < value.count {
                if value[index] == UInt8(ascii: "\"") { isQuoted.toggle() }
                guard !isQuoted, value[index] == UInt8(ascii: ";") || value[index] == UInt8(ascii: ",") else {
                    continue
                }
            }
            if let user = userOfHost(value[start..<index]) { users.append(user) }
            start = index + 1
        }
        return users
    }

    private static func userOfHost(_ pair: ArraySlice<UInt8>) -> Range<Int>? {
        guard let equals = pair.firstIndex(of: UInt8(ascii: "=")), let at = pair.lastIndex(of: UInt8(ascii: "@")),
            equals < at, String(decoding: pair[..<equals], as: UTF8.self)[...].trimmed.lowercased() == "host",
            let start = pair[(equals + 1)...].firstIndex(where: { $0 != UInt8(ascii: "\"") && $0 != 0x20 })
        else { return nil }
        return start..<at + 1
    }

    // MARK: - Encodings

    /// A link in which credentials may lie, and how many encodings lay around it.
    struct Encoded {
        let link: [UInt8]
        let encodings: Int

        /// The link with that many encodings around it again.
        func encoded(_ link: [UInt8]) -> [UInt8] {
            (0..<encodings).reduce(link) { link, _ in LinkText.encoded(link) }
        }
    }

    /// Finds a link in the value of a parameter as it was sent, which may be encoded several times over:
    /// `https%253A%252F%252F…`.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - isForm: whether a plus sign is a space, as in queries and forms.
    /// - Returns: The link, decoded, and how often it was encoded; `nil` where there is none.
    static func find(in value: ArraySlice<UInt8>, isForm: Bool = true) -> Encoded? {
        // Most values are no links, and say so at a look.
        guard value.contains(where: { isMark($0) || $0 == UInt8(ascii: "%") }) else { return nil }
        var link = Array(value)
        for encodings in 1...encodingLimit {
            link = decoded(link[...], isForm: isForm && encodings == 1)
            if mayHoldCredentials(link) { return Encoded(link: link, encodings: encodings) }
            guard link.contains(UInt8(ascii: "%")) else { return nil }
        }
        return nil
    }

    /// A name with every encoding taken off it.
    static func name(_ sent: ArraySlice<UInt8>) -> [UInt8] {
        var name = decoded(sent, isForm: true)
        for _ in 1..<encodingLimit where name.contains(UInt8(ascii: "%")) { name = decoded(name[...], isForm: false) }
        return name
    }

    /// Where the equals sign lies in a parameter that has it encoded only, as `token%3D…` has; `nil` where there is none.
    static func encodedSign(in parameter: ArraySlice<UInt8>) -> Range<Int>? {
        let start = parameter.indices.dropLast(2).first { start in
            parameter[start] == UInt8(ascii: "%") && parameter[start + 1] == UInt8(ascii: "3")
                && ASCII.lowered(parameter[start + 2]) == UInt8(ascii: "d")
        }
        return start.map { $0..<$0 + 3 }
    }

    /// Octets with percent-encoding taken off once.
    static func decoded(_ octets: ArraySlice<UInt8>, isForm: Bool) -> [UInt8] {
        let octets = Array(octets)
        var decoder = PercentDecoder(octets.span, octets.indices, isForm: isForm)
        var result: [UInt8] = []
        result.reserveCapacity(octets.count)
        while let octet = decoder.next() { result.append(octet) }
        return result
    }

    /// What names a user in the authority of a link, with the at sign behind it (RFC 3986 §3.2.1); `nil` where nothing does.
    ///
    /// The authority lies behind a scheme, whichever that is, behind two slashes that the link begins with, or is all there is,
    /// as CONNECT has it: `user:password@host:443`.
    static func user(in link: [UInt8]) -> Range<Int>? {
        let start: Int
        if link.starts(with: "//".utf8) {
            start = 2
        } else if let slashes = slashesOfScheme(link) {
            start = slashes
        } else if isAuthority(link) {
            start = 0
        } else {
            return nil
        }
        let end = link[start...].firstIndex(where: endsAuthority) ?? link.endIndex
        return link[start..<end].lastIndex(of: UInt8(ascii: "@")).map { start..<$0 + 1 }
    }

    private static func endsAuthority(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: "/") || octet == UInt8(ascii: "?") || octet == UInt8(ascii: "#")
    }

    /// Where the first authority begins that lies behind a colon and two slashes; those in a query are of its parameters.
    private static func slashesOfScheme(_ link: [UInt8]) -> Int? {
        var index = link.startIndex
        while let colon = link[index...].firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "?") }),
            link[colon] == UInt8(ascii: ":")
        {
            if link[colon...].starts(with: "://".utf8) { return colon + 3 }
            index = colon + 1
        }
        return nil
    }

    /// Whether the text is a user, a host and a port (RFC 9112 §3.2.3, which has no user).
    private static func isAuthority(_ text: [UInt8]) -> Bool {
        guard let at = text.lastIndex(of: UInt8(ascii: "@")), let colon = text[at...].lastIndex(of: UInt8(ascii: ":")),
            colon + 1 < text.endIndex
        else { return false }
        return text[(colon + 1)...].allSatisfy(ASCII.isDigit) && !text.contains(where: endsAuthority)
    }

    /// A scheme and two slashes (RFC 3986 §3).
    private static func hasScheme(_ value: [UInt8]) -> Bool {
        // The last colon of several, as in `jdbc:postgresql://`.
        guard let slash = value.firstIndex(of: UInt8(ascii: "/")), slash > 1, slash + 1 < value.count,
            value[slash - 1] == UInt8(ascii: ":"), value[slash + 1] == UInt8(ascii: "/")
        else { return false }
        let colon = slash - 1
        let isScheme = value[..<colon].allSatisfy { octet in
            ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet == UInt8(ascii: "+") || octet == UInt8(ascii: "-")
                || octet == UInt8(ascii: ".") || octet == UInt8(ascii: ":")
        }
        return isScheme
    }

    /// A link as the value of a parameter: everything but unreserved octets is percent-encoded.
    static func encoded(_ link: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(link.count)
        for octet in link {
            if ASCII.isLetter(octet) || ASCII.isDigit(octet) || "-._~".utf8.contains(octet) {
                encoded.append(octet)
            } else {
                encoded.append(percentEncoded: octet)
            }
        }
        return encoded
    }
}
