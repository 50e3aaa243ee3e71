// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import OctetText
import Redaction
internal import ShadowTesting
internal import TrafficModel

/// The head of a message that was kept to be looked at, without the values of fields that carry credentials.
public struct RecentMessage: Sendable {
    /// A field line.
    public struct Field: Sendable, Hashable {
        /// The name, as sent.
        public let name: String
        /// The value as sent, but for credentials in URLs; `nil` where it was taken out.
        public let octets: [UInt8]?
        /// The value as text; `nil` where it was taken out.
        public var value: String? { octets.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// Whether field lines were left out because the head is long.
    public let isCut: Bool
    private let octets: [UInt8]
    private let methodCount: Int
    private let targetCount: Int
    private let authorityCount: Int?
    private let lines: [Line]

    /// Where a field line lies: its name from `start`, its value right behind; a negative count for none.
    private struct Line {
        let start: Int
        let nameCount: Int
        let valueCount: Int
    }

    /// Copies the head of `message`.
    ///
    /// - Parameters:
    ///   - message: The head as sent.
    ///   - redactedFields: Names, in lower case, of fields whose values are not copied.
    ///   - limit: The most octets to copy.
    init(_ message: RetainedMessage, redactedFields: Set<String>, limit: Int) {
        var copy = HeadCopy(limit: limit)
        let octets = message.octets
        methodCount = copy.append(octets, message.method)
        targetCount = copy.append(octets, message.target)
        authorityCount = message.authority.map { copy.append(octets, $0) }
        var lines: [Line] = []
        for field in message.fields {
            let name = String(decoding: octets[field.name], as: UTF8.self).lowercased()
            let isRedacted = field.isNeverIndexed || redactedFields.contains(name)
            let start = copy.octets.count
            guard field.name.count + (isRedacted ? 0 : field.value.count) <= limit - start else {
                copy.isCut = true
                break
            }
            let nameCount = copy.append(octets, field.name)
            let valueCount = isRedacted ? -1 : copy.append(octets, field.value)
            lines.append(Line(start: start, nameCount: nameCount, valueCount: valueCount))
        }
        self.lines = lines
        self.octets = copy.octets
        isCut = copy.isCut
    }

    // Texts are made when somebody looks; what is not UTF-8 becomes the replacement character. Only then are names held
    // against those of credentials, which takes longer than the capture thread should.

    /// The method of a request.
    public var method: String { text(0, methodCount) }

    /// The request target as sent, but for credentials in its parameters.
    public var target: String { String(decoding: targetOctets, as: UTF8.self) }

    /// The octets of ``target``.
    public var targetOctets: [UInt8] { ShownRequest.redacted(url: part(methodCount, targetCount)) }

    /// The value of the Host field; `nil` without one.
    ///
    /// Without a user and a password, which no client should send there.
    public var authority: String? { authorityOctets.map { String(decoding: $0, as: UTF8.self) } }

    /// The octets of ``authority``.
    public var authorityOctets: [UInt8]? {
        authorityCount.map { ShownRequest.redacted(authority: part(methodCount + targetCount, $0)) }
    }

    /// The field lines, in wire order.
    public var fields: [Field] {
        lines.map { line in
            let name = text(line.start, line.nameCount)
            let isHidden = line.valueCount < 0 || ShownRequest.hidesField(name)
            // Fields such as Referer hold URLs.
            return Field(
                name: name,
                octets: isHidden
                    ? nil
                    : ShownRequest.redacted(field: name, part(line.start + line.nameCount, line.valueCount))
            )
        }
    }

    /// Whether texts of the message lose octets, because these are no UTF-8.
    public var losesOctets: Bool {
        guard !octets.span.isASCII else { return false }
        let parts = [part(0, methodCount), targetOctets] + [authorityOctets].compactMap(\.self)
        return (parts + fields.compactMap(\.octets)).contains(where: OctetEscapes.areNeeded)
    }

    private func part(_ start: Int, _ count: Int) -> [UInt8] { Array(octets[start..<start + count]) }

    private func text(_ start: Int, _ count: Int) -> String {
        String(decoding: octets[start..<start + count], as: UTF8.self)
    }
}

/// Octets copied so far, up to a limit.
private struct HeadCopy {
    let limit: Int
    var octets: [UInt8] = []
    var isCut = false

    init(limit: Int) {
        self.limit = limit
    }

    /// Copies as much of a range as there is room for; returns how much that was.
    mutating func append(_ source: [UInt8], _ range: Range<Int>) -> Int {
        let count = min(range.count, limit - octets.count)
        if count < range.count { isCut = true }
        octets += source[range.lowerBound..<range.lowerBound + count]
        return count
    }
}
