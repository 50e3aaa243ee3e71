// Wingmirror · Apache-2.0

package import TrafficModel

/// Replaces in the content of requests what a policy asks to be hashed, or says that it cannot be found.
package struct ContentRedaction: Sendable {
    private let paths: [RedactedPath]
    private let values: ValueRedaction
    private let parameters: ParameterRedaction
    private let hashesCredentials: Bool

    /// Makes a redaction by rules; hashes are those of `values`.
    package init(_ rules: RedactionRules, values: ValueRedaction) {
        paths = rules.hashedContent.map(RedactedPath.init)
        self.values = values
        // In a form the paths are names of parameters.
        var formRules = rules
        formRules.hashedParameters += rules.hashedContent
        parameters = ParameterRedaction(formRules, values: values)
        hashesCredentials = rules.hashesCredentialMembers
    }

    /// Whether something is asked for in content that is no form.
    private var searchesJSON: Bool { !paths.isEmpty || hashesCredentials }

    /// The content to send.
    ///
    /// Forms of both codings lose their credentials always, and one that cannot be read is not sent. Content of other types is
    /// searched only if the policy names members or asks for credentials in it; then it must be JSON, or a form, and bear
    /// no content coding.
    /// - Throws: `UnreadableContent` where something is to be hashed and the content cannot be read.
    package func redacted(_ message: RecordedMessage, redactions: inout Int) throws(UnreadableContent) -> [UInt8] {
        let content = message.content
        guard !content.isEmpty else { return content }
        let mediaType = MediaTypeText(message)
        let codings = message.values(of: "content-encoding").map { String(decoding: $0, as: UTF8.self).lowercased() }
        guard codings.allSatisfy({ $0.isEmpty || $0 == "identity" }) else {
            if !searchesJSON, !mediaType.isForm, !mediaType.isMultipartForm { return content }
            throw UnreadableContent()
        }
        if mediaType.isMultipartForm {
            guard let redacted = redacted(multipart: content, mediaType, redactions: &redactions) else {
                throw UnreadableContent()
            }
            return redacted
        }
        if mediaType.isForm {
            // curl calls all content a form that is not said to be something else, and JSON in it has no parameters.
            if searchesJSON, let redacted = redacted(json: content, redactions: &redactions) { return redacted }
            return parameters.redacted(query: content, credentials: .hashed, redactions: &redactions)
        }
        guard searchesJSON else { return content }
        guard mediaType.mayBeJSON || !paths.isEmpty else { return content }
        guard mediaType.mayBeJSON, let redacted = redacted(json: content, redactions: &redactions) else {
            throw UnreadableContent()
        }
        return redacted
    }

    /// JSON with the members replaced that a policy asks for; `nil` if it is none.
    private func redacted(json content: [UInt8], redactions: inout Int) -> [UInt8]? {
        JSONRedaction.redacted(
            content,
            paths: paths,
            credentials: hashesCredentials ? parameters : nil,
            values: values,
            redactions: &redactions
        )
    }

    /// A form with the content of parts replaced whose names say that they hold credentials, or that a policy names.
    private func redacted(multipart content: [UInt8], _ mediaType: MediaTypeText, redactions: inout Int) -> [UInt8]? {
        guard let boundary = mediaType.boundary, let form = MultipartForm(content, boundary: boundary) else {
            return nil
        }
        var result: [UInt8] = []
        var copied = 0
        for part in form.parts where !part.content.isEmpty && isHidden(part) {
            result += content[copied..<part.content.lowerBound]
            result += values.replacement(for: Array(content[part.content])).utf8
            copied = part.content.upperBound
            redactions += 1
        }
        return result + content[copied...]
    }

    /// Whether the content of a part is replaced, for one of its names or for the credentials in a link that it is.
    private func isHidden(_ part: MultipartForm.Part) -> Bool {
        part.names.contains(where: parameters.hides) || part.text.map(parameters.holdsCredentials) ?? false
    }
}

/// Content in which something is to be hashed, and which is not what it must be for that to be found.
package struct UnreadableContent: Error {}

/// What the Content-Type of a message says, as far as it matters here.
package struct MediaTypeText {
    private let essence: String?
    /// What separates the parts of a form; `nil` without any.
    let boundary: String?

    /// Reads the type of a message.
    package init(_ message: RecordedMessage) {
        self.init(Self.deciding(of: message.values(of: "content-type").map { String(decoding: $0, as: UTF8.self) }))
    }

    /// The value that counts of the Content-Type fields of a message: readers differ on which of several they take, so it is one
    /// that names a form, if there is any, and else the first.
    package static func deciding(of values: [String]) -> String? {
        let form = values.first { value in
            let type = MediaTypeText(value)
            return type.isForm || type.isMultipartForm
        }
        return form ?? values.first
    }

    /// Reads the value of the field.
    init(_ contentType: String?) {
        boundary = contentType.flatMap(MultipartForm.boundary)
        essence = contentType.map { $0.prefix { $0 != ";" }.trimmed.lowercased() }
    }

    /// Whether the content is a form in the coding of queries.
    package var isForm: Bool { essence == "application/x-www-form-urlencoded" }

    /// Whether the content is a form in parts.
    var isMultipartForm: Bool { essence == "multipart/form-data" }

    /// Whether the content is said to be JSON, or nothing is said.
    var mayBeJSON: Bool {
        guard let essence else { return true }
        return essence.hasSuffix("/json") || essence.hasSuffix("+json")
    }
}

extension Substring {
    /// The text without spaces and tabs at its ends.
    var trimmed: Substring {
        var text = self.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
