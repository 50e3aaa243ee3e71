// Wingmirror · Apache-2.0
// Content codings: RFC 9110 §8.4.

import JSONSyntax
import OctetText
internal import TrafficModel

/// An answer without its content codings, whose JSON is parsed when it is first asked for, once.
struct PreparedAnswer {
    let status: Int
    /// Whether it is the answer to a gRPC call, whose status is `grpcStatus`.
    let isCall: Bool
    /// The final status of a gRPC call; `nil` where there was none.
    let grpcStatus: Int?
    /// Whether it is an error of the server.
    let isFailure: Bool
    /// Whether it asks for fewer requests.
    let asksForLess: Bool
    /// Field values by name in lower case, in wire order; of a gRPC call the trailers are among them.
    let fields: [String: [[UInt8]]]
    /// The content as far as it could be read.
    let content: [UInt8]
    /// Whether `content` is readable: no content coding is left on it.
    let isReadable: Bool
    /// Whether `content` is all there was.
    let isWhole: Bool
    /// The octets of content there were, as far as is known.
    let contentOctets: Int64
    /// Whether there was more content than that.
    let isOpen: Bool
    /// The content codings as sent, in lower case.
    let codings: [String]
    /// When the answer was seen, in nanoseconds since the Unix epoch; 0 where that is not known.
    private let seenAt: Int64
    private let depth: Int
    private var parsed: JSONValue??
    /// Whether the JSON was read as ISO 8859-1, since it is no UTF-8; known once it was asked for.
    private(set) var isLatin1 = false
    /// What stands around the JSON: a byte order mark, a prefix against inclusion as a script, or a call of JSONP.
    private(set) var wrapper: [UInt8] = []

    init(
        _ response: RecordedResponse,
        seenAt: Int64,
        settings: ComparisonSettings,
        depth: Int,
        decoder: ContentDecoder
    ) {
        self.seenAt = seenAt
        let contentLimit = settings.maximumContentOctets
        status = response.status
        self.depth = depth
        let message = response.message
        isCall = message.isCall
        grpcStatus = isCall ? response.grpcStatus : nil
        isOpen = message.contentIsOpen
        isFailure = response.isFailure(settings.grpcErrorStatuses)
        asksForLess = response.asksForLess
        let lines = isCall ? message.fields + message.trailers : message.fields
        fields = Dictionary(grouping: lines) { $0.name.lowercased() }.mapValues { $0.map(\.value) }
        if isCall, message.holdsOneMessage == true, message.contentIsWhole, message.content.count <= contentLimit {
            let coding = (fields["grpc-encoding"]?.first).flatMap { Self.tokens($0).first } ?? "identity"
            let octets = Array(message.content[5...])
            let isCoded = message.content[0] & 1 == 1 && coding != "identity"
            let decoded = isCoded ? decoder(coding, octets, contentLimit) : FreedContent(octets)
            content = decoded?.octets ?? octets
            isReadable = decoded != nil
            isWhole = decoded?.isWhole ?? true
            contentOctets = Int64(content.count)
            codings = isCoded ? [coding] : []
            return
        }
        codings = (fields["content-encoding"] ?? []).flatMap { Self.tokens($0) }.filter { $0 != "identity" }
        guard !codings.isEmpty, !message.content.isEmpty else {
            content =
                message.content.count > contentLimit ? Array(message.content.prefix(contentLimit)) : message.content
            isReadable = true
            isWhole = message.contentIsWhole && message.content.count <= contentLimit
            contentOctets = message.contentOctets
            return
        }
        var decoded = message.contentIsWhole ? FreedContent(message.content) : nil
        var isCut = false
        for coding in codings.reversed() {
            // What one step left out the next cannot read to its end.
            if decoded?.isWhole == false { isCut = true }
            decoded = decoded.flatMap { $0.isWhole ? decoder(coding, $0.octets, contentLimit) : nil }
        }
        content = decoded?.octets ?? message.content
        isReadable = decoded != nil
        isWhole = message.contentIsWhole && !isCut && (decoded?.isWhole ?? true)
        contentOctets = Int64(content.count)
    }

    /// When the answer was made, in seconds since the Unix epoch, by its own word or by when it was seen; `nil` where neither
    /// is known.
    var moment: Double? {
        date.map(Double.init) ?? (seenAt > 0 ? Double(seenAt) / 1e9 : nil)
    }

    /// When the answer was made, in seconds since the Unix epoch; `nil` when it does not say.
    var date: Int? { fields["date"]?.first.flatMap(HTTPTime.seconds) }

    /// Whether a value of Expires says that the content is old already; what is no time says so too.
    func hasExpired(_ value: [UInt8]) -> Bool {
        guard let expiry = HTTPTime.seconds(value) else { return true }
        return expiry < HTTPTime.sensible || expiry <= date ?? .min
    }

    /// The comma-separated words of a field value, in lower case.
    private static func tokens(_ value: [UInt8]) -> [String] {
        value.map(ASCII.lowered).split(separator: UInt8(ascii: ","))
            .map { String(decoding: $0.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self) }
            .filter { !$0.isEmpty }
    }

    /// The content as JSON; `nil` when it is none, or nested too deep.
    mutating func json() -> JSONValue? {
        if let parsed { return parsed }
        let (text, wrapper) = JSONWrapper.unwrapped(content, isScript: contentType.contains("javascript"))
        guard looksLikeJSON(text, isWrapped: !wrapper.isEmpty) else {
            parsed = .some(nil)
            return nil
        }
        var value = parse(text)
        if value == nil, !isUTF8 {
            value = parse(Self.fromLatin1(text))
            isLatin1 = value != nil
        }
        if value != nil { self.wrapper = wrapper }
        parsed = .some(value)
        return value
    }

    private func parse(_ content: [UInt8]) -> JSONValue? {
        var limits = DocumentLimits()
        limits.depth = depth
        limits.keepsDigits = true
        limits.allowsLoneSurrogates = true
        guard hasJSONLines else { return try? JSONDocument.parse(content, limits: limits) }
        var values: [JSONValue] = []
        for line in content.split(whereSeparator: { $0 == 0x0A || $0 == 0x1E }) where !line.allSatisfy({ $0 <= 0x20 }) {
            guard let value = try? JSONDocument.parse(Array(line), limits: limits) else { return nil }
            values.append(value)
        }
        return .array(values)
    }

    /// Whether the content is UTF-8.
    private var isUTF8: Bool { String(validating: content, as: UTF8.self) != nil }

    /// Octets as UTF-8, each taken for the code point of its number (ISO 8859-1); those of other sets become other text, and
    /// equal octets equal text.
    private static func fromLatin1(_ octets: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(octets.count + octets.count / 8)
        for octet in octets {
            if octet < 0x80 {
                text.append(octet)
            } else {
                text += [0xC0 | octet >> 6, 0x80 | octet & 0x3F]
            }
        }
        return text
    }

    private var contentType: String {
        fields["content-type"]?.first.map { String(decoding: $0, as: UTF8.self).lowercased() } ?? ""
    }

    /// Whether each line is a value of JSON: NDJSON, JSON lines, and JSON text sequences (RFC 7464).
    private var hasJSONLines: Bool {
        ["ndjson", "json-seq", "jsonl", "jsonlines"].contains { contentType.contains($0) }
    }

    /// Whether a parse is worth it: the type says JSON, or none that contradicts, and a list or an object begins.
    private func looksLikeJSON(_ text: [UInt8], isWrapped: Bool) -> Bool {
        guard isReadable, isWhole else { return false }
        if contentType.contains("json") { return true }
        let first = text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let isOfScript = contentType.contains("javascript") && isWrapped
        return (contentType.isEmpty || contentType.hasPrefix("text/plain") || isOfScript)
            && (first == UInt8(ascii: "{") || first == UInt8(ascii: "["))
    }

    /// Whether the content is text with tags in it: HTML, XML and what is made of it.
    var isMarkup: Bool {
        let type = contentType
        return type.contains("html") || type.contains("xml") || type.contains("svg")
            || type.isEmpty && content.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "<")
    }

    /// Whether the content is text: no octet that text has not, and either UTF-8 or of a type that is text in any character set.
    ///
    /// What a gRPC call carries is octets, whatever they look like.
    var isText: Bool { !isCall && !content.contains(0) && (hasTextType || isMarkup && contentType.isEmpty || isUTF8) }

    /// Whether the type is one of text, whatever its character set.
    private var hasTextType: Bool {
        let type = contentType.prefix { $0 != ";" && $0 != " " }
        guard !type.hasPrefix("text/") else { return true }
        let words = type.split(whereSeparator: { $0 == "/" || $0 == "+" }).dropFirst()
        return words.last.map { Self.textTypes.contains(String($0)) } ?? false
    }

    private static let textTypes: Set<String> = [
        "csv", "ecmascript", "html", "javascript", "json", "jsonlines", "ndjson", "x-javascript", "x-ndjson",
        "x-www-form-urlencoded", "x-yaml", "xml", "yaml",
    ]

    /// The status as it is shown: of a gRPC call the final one.
    var statusText: String {
        guard isCall else { return String(status) }
        return grpcStatus.map { "grpc-status \($0)" } ?? "no grpc-status"
    }
}
