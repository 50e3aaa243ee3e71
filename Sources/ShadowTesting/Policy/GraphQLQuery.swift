// Wingmirror · Apache-2.0
// Operations in requests by GET: GraphQL over HTTP §6.2.

import OctetText
internal import TrafficModel

/// Judges requests by GET to a GraphQL endpoint, which servers may let write although they should not.
enum GraphQLQuery {
    /// Whether a query string can only read.
    ///
    /// It must hold the document itself, readable, and the word of no other operation than a query: not `mutation`, and not
    /// `subscription`, whose answer may not end. The words count wherever they stand, strings and field names included,
    /// since a document that is filtered without need costs less than one that writes. A document known to the server
    /// by name or hash only cannot be judged, and counts as unsafe.
    static func isSafe(_ octets: Span<UInt8>, _ query: Range<Int>) -> Bool {
        var hasDocument = false
        var parameters = QueryParameters(octets, query)
        while let parameter = parameters.next() {
            var name = PercentDecoder(octets, parameter.name, isForm: true)
            guard name.isWord("query") else { continue }
            guard let value = parameter.value, isReadOnly(octets, value) else { return false }
            hasDocument = true
        }
        return hasDocument
    }

    private static func isReadOnly(_ octets: Span<UInt8>, _ value: Range<Int>) -> Bool {
        var mutation = WordSearch("mutation")
        var subscription = WordSearch("subscription")
        var decoder = PercentDecoder(octets, value, isForm: true)
        var isEmpty = true
        while let octet = decoder.next() {
            isEmpty = false
            // An encoded percent sign is in no document outside a string; it may be encoding done twice.
            if octet == UInt8(ascii: "%") || mutation.finds(octet) || subscription.finds(octet) { return false }
        }
        return !isEmpty && !decoder.isMalformed
    }
}

/// Looks for a word of up to 16 octets in octets that come one by one.
private struct WordSearch {
    private let word: UInt128
    private let mask: UInt128
    private var latest: UInt128 = 0

    init(_ text: String) {
        var word: UInt128 = 0
        for octet in text.utf8 { word = word << 8 | UInt128(octet) }
        self.word = word
        mask = UInt128.max >> UInt128(128 - 8 * text.utf8.count)
    }

    /// Takes the next octet; says whether the word ends with it.
    mutating func finds(_ octet: UInt8) -> Bool {
        latest = latest << 8 | UInt128(octet)
        return latest & mask == word
    }
}
