// Wingmirror · Apache-2.0

internal import TrafficModel

/// What is shown of the content of a message: text if it is, with content codings taken off where that is possible.
struct HARContent {
    enum Form: Equatable {
        case text(String)
        /// What is no UTF-8, or has a coding on it, which then is octets to everyone.
        case octets([UInt8])
    }

    let form: Form
    /// How many octets it has, as far as codings could be taken off; of truncated content, all that were sent.
    let decodedOctets: Int
    /// How many octets the coding saved; `nil` where none was taken off.
    let savedOctets: Int?
    /// The codings that could not be taken off.
    let remainingCoding: String?
    let isTruncated: Bool

    init(_ message: RecordedMessage, decoder: HARWriter.ContentDecoder?) {
        isTruncated = !message.contentIsWhole
        let codings = Self.codings(of: message)
        // A beginning of coded content is left alone: what comes out of it may be anything.
        let decoded = codings.isEmpty || isTruncated ? nil : Self.decoded(message.content, codings, decoder)
        let octets = decoded ?? message.content
        remainingCoding = codings.isEmpty || decoded != nil || octets.isEmpty ? nil : codings.joined(separator: ", ")
        decodedOctets = decoded?.count ?? Int(message.contentOctets)
        savedOctets = decoded.map { $0.count - message.content.count }
        if remainingCoding == nil, let text = Self.text(octets, isTruncated: isTruncated) {
            form = .text(text)
        } else {
            form = .octets(octets)
        }
    }

    /// The content codings in the order in which they were put on (RFC 9110 §8.4).
    private static func codings(of message: RecordedMessage) -> [String] {
        message.values(of: "content-encoding")
            .flatMap { String(decoding: $0, as: UTF8.self).lowercased().split(separator: ",") }
            .map { String($0.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }) }
            .filter { !$0.isEmpty && $0 != "identity" }
    }

    private static func decoded(
        _ content: [UInt8],
        _ codings: [String],
        _ decoder: HARWriter.ContentDecoder?
    ) -> [UInt8]? {
        guard let decoder, codings.count <= 4 else { return nil }
        var octets = content
        for coding in codings.reversed() {
            guard let next = decoder(coding, octets) else { return nil }
            octets = next
        }
        return octets
    }

    /// The octets as text; the end of truncated text may be part of a character, which is left out.
    private static func text(_ octets: [UInt8], isTruncated: Bool) -> String? {
        for cut in 0...(isTruncated ? min(3, octets.count) : 0) {
            if let text = String(validating: octets.dropLast(cut), as: UTF8.self) {
                // A NUL is in no text that people read, and in most formats that are not text.
                return text.utf8.contains(0) ? nil : text
            }
        }
        return nil
    }
}
