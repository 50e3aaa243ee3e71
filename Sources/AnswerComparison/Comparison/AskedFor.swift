// Wingmirror · Apache-2.0
// Content codings that are asked for: RFC 9110 §12.5.3; HEAD: RFC 9110 §9.3.2.

import OctetText
internal import TrafficModel

/// What a request asks of the form of its answer.
struct AskedFor: Sendable, Hashable {
    /// Whether the content itself is not wanted, so that its length stands for it.
    var isHead = false
    /// The content codings that are acceptable, in lower case; `nil` for any.
    private var codings: Set<String>?
    /// Whether the request says which codings are acceptable.
    private var saysCodings = false

    /// Takes what a request says; without one, any coding may have been asked for.
    init(_ request: RecordedRequest? = nil) {
        guard let request else { return }
        isHead = request.method == "HEAD"
        let values = request.message.values(of: "accept-encoding")
        let words = values.flatMap { value in
            value.map(ASCII.lowered).split(separator: UInt8(ascii: ",")).compactMap(Self.acceptable)
        }
        saysCodings = !values.isEmpty
        codings = words.contains("*") ? nil : Set(words)
    }

    /// The coding that a member of the list names; `nil` where its weight is 0, which rules it out.
    private static func acceptable(_ member: ArraySlice<UInt8>) -> String? {
        let parts = member.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { part in
            String(decoding: part.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self)
        }
        let isRuledOut = parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
        return isRuledOut ? nil : parts.first
    }

    /// Whether an answer may be coded so.
    func accepts(_ coding: String) -> Bool { codings?.contains(coding) ?? true }

    /// Whether the client says that it cannot read the coding: it names others, or none.
    ///
    /// A request that says nothing takes any.
    func rulesOut(_ coding: String) -> Bool {
        guard saysCodings, let codings else { return false }
        let names = coding == "gzip" || coding == "x-gzip" ? ["gzip", "x-gzip"] : [coding]
        return codings.isDisjoint(with: names)
    }
}
