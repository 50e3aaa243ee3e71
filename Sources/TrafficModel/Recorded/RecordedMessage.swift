// Wingmirror · Apache-2.0
// Messages: RFC 9110 §6.

/// A field line that owns its octets.
public struct RecordedField: Sendable, Hashable {
    /// The field name as sent; a token, so ASCII.
    public var name: String
    /// The field value as sent, without the white space around it.
    public var value: [UInt8]
    /// Whether the sender calls the value a secret, so that it is treated as a credential whatever the name is.
    public var isSecret: Bool

    /// Makes a field line.
    public init(name: String, value: [UInt8], isSecret: Bool = false) {
        self.name = name
        self.value = value
        self.isSecret = isSecret
    }

    /// Makes a field line of text.
    public init(name: String, value: String) {
        self.init(name: name, value: Array(value.utf8))
    }

    /// The value as text; what is not UTF-8 becomes the replacement character.
    public var text: String { String(decoding: value, as: UTF8.self) }

    /// Whether the name is `other`, which is in lower case.
    public func isNamed(_ other: String) -> Bool { name.utf8.count == other.utf8.count && name.lowercased() == other }
}

/// What request and response have in common: fields and content.
public struct RecordedMessage: Sendable, Hashable {
    /// The field lines of the head, in wire order.
    public var fields: [RecordedField]
    /// The content after removing transfer coding, as far as it was kept; content codings are still on it.
    public var content: [UInt8]
    /// How many octets of content there were, kept or not.
    public var contentOctets: Int64
    /// Whether reading was given up before the end of the content, so that `contentOctets` is the least there was.
    public var contentIsOpen = false
    /// The field lines of the trailer section, in wire order; kept of gRPC calls only, whose status they say.
    public var trailers: [RecordedField] = []

    /// Makes a message; without a count, the content is all there was.
    public init(fields: [RecordedField], content: [UInt8] = [], contentOctets: Int64? = nil) {
        self.fields = fields
        self.content = content
        self.contentOctets = contentOctets ?? Int64(content.count)
    }

    /// Whether `content` is all there was.
    public var contentIsWhole: Bool { !contentIsOpen && Int64(content.count) == contentOctets }

    /// The values of a field in wire order; `name` is in lower case.
    public func values(of name: String) -> [[UInt8]] {
        fields.filter { $0.isNamed(name) }.map(\.value)
    }

    /// The first value of a field as text; `name` is in lower case.
    public func firstText(of name: String) -> String? {
        fields.first { $0.isNamed(name) }?.text
    }
}

/// A request as production received it.
public struct RecordedRequest: Sendable, Hashable {
    /// The method as sent; a token.
    public var method: String
    /// The request target as sent.
    public var target: [UInt8]
    /// Fields, with Host among them, and content.
    public var message: RecordedMessage

    /// Makes a request of its parts.
    public init(method: String, target: [UInt8], message: RecordedMessage) {
        self.method = method
        self.target = target
        self.message = message
    }

    /// The value of the first Host field.
    public var authority: String? { message.firstText(of: "host") }

    /// The request target as text; what is not UTF-8 becomes the replacement character.
    public var targetText: String { String(decoding: target, as: UTF8.self) }
}

/// A response as production, or a target, gave it.
public struct RecordedResponse: Sendable, Hashable {
    /// The final status code.
    public var status: Int
    /// Fields and content.
    public var message: RecordedMessage

    /// Makes a response of its parts.
    public init(status: Int, message: RecordedMessage) {
        self.status = status
        self.message = message
    }

    /// Whether it answers to a condition or a range (RFC 9110 §13, §14), which copies of its request do not carry, so that nothing
    /// can be held against it.
    public var answersCondition: Bool { [206, 304, 412, 416].contains(status) }
}
