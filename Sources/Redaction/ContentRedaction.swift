// Wingmirror · Apache-2.0

package import TrafficModel

/// Replaces in the content of requests what a policy asks to be hashed, or says that it cannot be found.
package struct ContentRedaction: Sendable {
    private let paths: [RedactedPath]
    private let values: ValueRedaction
    private let parameters: ParameterRedaction

    /// Makes a redaction by rules; hashes are those of `values`.
    package init(_ rules: RedactionRules, values: ValueRedaction) {
        paths = rules.hashedContent.map(RedactedPath.init)
        self.values = values
        // In a form the paths are names of parameters.
        var formRules = rules
        formRules.hashedParameters += rules.hashedContent
        parameters = ParameterRedaction(formRules, values: values)
    }

    /// The content to send.
    ///
    /// Forms lose their credentials always. Content of other types is searched only if the policy names members; then it must
    /// be JSON, or a form, and bear no content coding.
    /// - Throws: `UnreadableContent` where something is to be hashed and the content cannot be read.
    package func redacted(_ message: RecordedMessage, redactions: inout Int) throws(UnreadableContent) -> [UInt8] {
        let content = message.content
        guard !content.isEmpty else { return content }
        let codings = message.values(of: "content-encoding").map { String(decoding: $0, as: UTF8.self).lowercased() }
        guard codings.allSatisfy({ $0.isEmpty || $0 == "identity" }) else {
            if paths.isEmpty { return content }
            throw UnreadableContent()
        }
        let mediaType = MediaTypeText(message)
        if mediaType.isForm {
            return parameters.redacted(query: content, credentials: .hashed, redactions: &redactions)
        }
        if paths.isEmpty { return content }
        guard mediaType.mayBeJSON,
            let redacted = JSONRedaction.redacted(content, paths: paths, values: values, redactions: &redactions)
        else { throw UnreadableContent() }
        return redacted
    }
}

/// Content in which something is to be hashed, and which is not what it must be for that to be found.
package struct UnreadableContent: Error {}

/// What the Content-Type of a message says, as far as it matters here.
package struct MediaTypeText {
    private let essence: String?

    /// Reads the type of a message.
    package init(_ message: RecordedMessage) {
        essence = message.firstText(of: "content-type").map { text in
            let essence = text.prefix { $0 != ";" }
            return essence.trimmed.lowercased()
        }
    }

    /// Whether the content is a form in the coding of queries.
    package var isForm: Bool { essence == "application/x-www-form-urlencoded" }

    /// Whether the content is said to be JSON, or nothing is said.
    package var mayBeJSON: Bool {
        guard let essence else { return true }
        return essence.hasSuffix("/json") || essence.hasSuffix("+json")
    }
}

extension Substring {
    /// The text without spaces and tabs at its ends.
    fileprivate var trimmed: Substring {
        var text = self.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
