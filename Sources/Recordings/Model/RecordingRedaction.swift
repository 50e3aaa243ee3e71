// Wingmirror · Apache-2.0

import OctetText
internal import Redaction
internal import TrafficModel

/// What makes the ids and the replaced values of one recording, and of no other.
///
/// Without the key nobody can tell from a hash what was hashed, not even by trying every value there could be.
public struct RecordingKey: Sendable {
    private let first: KeyedHash
    private let second: KeyedHash

    /// Makes a key of a secret, which should be random and differ from recording to recording.
    public init(secret: String) {
        first = KeyedHash(secret: "recording 1 " + secret)
        second = KeyedHash(secret: "recording 2 " + secret)
    }

    /// 24 hexadecimal digits, the length of GoReplay's ids, for the exchange of that number.
    func identifier(_ number: Int) -> String {
        var high = first
        var low = second
        high.combine("id \(number)".utf8)
        low.combine("id \(number)".utf8)
        return HexadecimalText.digits(of: high.value) + HexadecimalText.digits(of: low.value, count: 8)
    }

    /// 16 hexadecimal digits, the same for the same octets.
    func digest(_ octets: [UInt8]) -> String {
        var hash = first
        hash.combine("value ".utf8)
        hash.combine(octets)
        return HexadecimalText.digits(of: hash.value)
    }
}

/// What is taken out of a recording before it is written.
public struct RecordingRedaction: Sendable {
    /// What stands in place of a value.
    public enum Replacement: String, Sendable, Hashable, CaseIterable {
        /// One word for all values.
        case word
        /// A keyed hash, so that equal values stay equal.
        case keyedHash
    }

    /// What a keyed hash begins with.
    private static let hashPrefix = "redacted-"

    /// Names, in lower case, of the fields whose values are replaced.
    public let fields: Set<String>
    /// What stands in their place.
    public let replacement: Replacement
    /// Whether values of parameters that carry credentials are replaced as well: in targets, in fields that hold URLs, in forms.
    public let replacesParameters: Bool

    /// Makes a redaction.
    public init(fields: Set<String>, replacement: Replacement = .keyedHash, replacesParameters: Bool = true) {
        self.fields = Set(fields.map { $0.lowercased() })
        self.replacement = replacement
        self.replacesParameters = replacesParameters
    }

    /// Whether the value is one that a redaction of ours left.
    public static func isReplaced(_ value: [UInt8]) -> Bool {
        value.elementsEqual(RedactedValue.text.utf8) || value.count == 25 && value.starts(with: hashPrefix.utf8)
    }

    /// Whether the field's value is replaced.
    func covers(_ field: RecordedField) -> Bool { field.isSecret || covers(field.name) }

    /// Whether the values of fields of that name, as it was sent, are replaced: the configuration names it, or it is known to
    /// carry credentials; of a redaction that names nothing, none are.
    func covers(_ name: String) -> Bool {
        !fields.isEmpty && (fields.contains(name.lowercased()) || CredentialNames.contains(name))
    }

    /// What stands in place of `value`.
    func replaced(_ value: [UInt8], under key: RecordingKey) -> [UInt8] {
        switch replacement {
        case .word: RedactedValue.octets
        case .keyedHash: Array((Self.hashPrefix + key.digest(value)).utf8)
        }
    }

    /// The fields with what must not be told replaced.
    func applied(to lines: [RecordedField], under key: RecordingKey) -> [RecordedField] {
        lines.map { line in
            covers(line) ? RecordedField(name: line.name, value: replaced(line.value, under: key)) : line
        }
    }

    // MARK: - Parameters

    /// A request with the values of parameters replaced, and how many there were; its fields are as they were otherwise.
    func applied(to request: RecordedRequest, under key: RecordingKey) -> (RecordedRequest, count: Int) {
        guard replacesParameters, !fields.isEmpty else { return (request, 0) }
        var credentials = CredentialReplacement(names: fields) { replaced($0, under: key) }
        var request = request
        request.target = credentials.redacted(url: request.target)
        redact(&request.message, &credentials)
        return (request, credentials.count)
    }

    /// The same of a response.
    func applied(to response: RecordedResponse, under key: RecordingKey) -> (RecordedResponse, count: Int) {
        guard replacesParameters, !fields.isEmpty else { return (response, 0) }
        var credentials = CredentialReplacement(names: fields) { replaced($0, under: key) }
        var response = response
        redact(&response.message, &credentials)
        return (response, credentials.count)
    }

    private func redact(_ message: inout RecordedMessage, _ credentials: inout CredentialReplacement) {
        for index in message.fields.indices where !covers(message.fields[index]) {
            let field = message.fields[index]
            message.fields[index].value = credentials.redacted(field: field.name.utf8.span, field.value)
        }
        message.content = credentials.redacted(
            content: message.content,
            contentType: MediaTypeText.deciding(
                of: message.values(of: "content-type").map { String(decoding: $0, as: UTF8.self) }
            ),
            isCoded: message.values(of: "content-encoding").contains {
                !$0.isEmpty && !$0.elementsEqual("identity".utf8)
            }
        )
    }

    /// A target without the parameters whose values a redaction of ours left, and how many these were.
    public static func withoutReplaced(target: [UInt8]) -> (target: [UInt8], count: Int) {
        guard let mark = target.firstIndex(of: UInt8(ascii: "?")) else { return (target, 0) }
        var kept: [UInt8] = []
        var count = 0
        var parameters = QueryParameters(target.span, (mark + 1)..<target.endIndex)
        while let parameter = parameters.next() {
            if let value = parameter.value, isReplaced(Array(target[value])) {
                count += 1
            } else {
                kept += (kept.isEmpty ? [] : target[(parameter.whole.lowerBound - 1)..<parameter.whole.lowerBound])
                kept += target[parameter.whole]
            }
        }
        guard count > 0 else { return (target, 0) }
        return (Array(kept.isEmpty ? target[..<mark] : target[...mark]) + kept, count)
    }
}
