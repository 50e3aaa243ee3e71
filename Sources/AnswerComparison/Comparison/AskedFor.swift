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

    /// Takes what a request says; without one, any coding may have been asked for.
    init(_ request: RecordedRequest? = nil) {
        guard let request else { return }
        isHead = request.method == "HEAD"
        let words = request.message.values(of: "accept-encoding").flatMap { value in
            value.map(ASCII.lowered).split(separator: UInt8(ascii: ",")).map { word in
                let name = word.prefix { $0 != UInt8(ascii: ";") }.filter { $0 != 0x20 && $0 != 0x09 }
                return String(decoding: name, as: UTF8.self)
            }
        }
        codings = words.contains("*") ? nil : Set(words)
    }

    /// Whether an answer may be coded so.
    func accepts(_ coding: String) -> Bool { codings?.contains(coding) ?? true }
}
