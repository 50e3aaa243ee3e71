// Wingmirror · Apache-2.0

internal import TrafficModel

/// A copy of a request as it is sent to a target.
///
/// What a target must not see has been taken out. Its description names no value, so that one that ends up in a log
/// tells nothing.
public struct ShadowRequest: Sendable, Hashable {
    /// The method as production received it.
    public var method: String
    /// Path and query in origin form; visible ASCII.
    public var target: String
    /// The field lines in the order to send them, Host first; without framing but Content-Length.
    public var fields: [Field]
    /// The content, with its content codings and without transfer coding.
    public var content: [UInt8]
    /// How many values were taken out, or replaced by a hash.
    public var redactions: Int

    /// A field line that can be sent.
    public struct Field: Sendable, Hashable {
        /// The field name; a token.
        public var name: String
        /// The field value, without control characters.
        public var value: String
    }

    /// Makes a request of its parts.
    public init(method: String, target: String, fields: [Field], content: [UInt8] = [], redactions: Int = 0) {
        self.method = method
        self.target = target
        self.fields = fields
        self.content = content
        self.redactions = redactions
    }

    /// Whether it is a gRPC call, which HTTP/2 alone carries, and whose answer ends with trailers.
    public var isCall: Bool {
        let types = fields.filter { $0.name.lowercased() == "content-type" }
        return RecordedMessage(fields: types.map { RecordedField(name: $0.name, value: $0.value) }).isCall
    }

    /// The first value of a field; `name` is in lower case.
    public func firstValue(of name: String) -> String? {
        fields.first { $0.name.lowercased() == name }?.value
    }
}

extension ShadowRequest: CustomStringConvertible, CustomDebugStringConvertible {
    /// The method and the amount of everything else.
    public var description: String {
        "\(method), \(target.utf8.count) octets of target, \(fields.count) fields, \(content.count) octets of content"
    }

    /// The same as `description`.
    public var debugDescription: String { description }
}

extension FilterReason: Error {}
