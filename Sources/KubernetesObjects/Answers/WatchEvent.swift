// Wingmirror · Apache-2.0
// Kubernetes API concepts: watch events.

import JSONSyntax

/// One event of a watch.
enum WatchEvent: Sendable {
    /// An object is there, new or changed: ADDED and MODIFIED, which mean the same to a reader.
    case present(JSONValue, wasAdded: Bool)
    /// An object is gone, or does not match the selector any more; its last state.
    case gone(JSONValue)
    /// Everything up to a version was sent; the object has no other content.
    case bookmark(resourceVersion: String, endsInitialEvents: Bool)
    /// The server ends the watch for a reason.
    case failed(APIStatus)

    /// Reads one line of a watch.
    ///
    /// - Throws: what is wrong with it; a type that is not known counts as wrong, since it cannot be acted on.
    init(parsing line: [UInt8]) throws(DocumentError) {
        // An object of a list may be as deep as a document; here it lies in another.
        var limits = DocumentLimits()
        limits.depth += 1
        let value = try JSONDocument.parse(line, limits: limits)
        guard let type = value["type"]?.stringValue, let object = value["object"] else {
            throw DocumentError(line: 1, message: "a watch event has a type and an object")
        }
        switch type {
        case "ADDED": self = .present(object, wasAdded: true)
        case "MODIFIED": self = .present(object, wasAdded: false)
        case "DELETED": self = .gone(object)
        case "BOOKMARK":
            let metadata = object["metadata"]
            self = .bookmark(
                resourceVersion: metadata?["resourceVersion"]?.stringValue ?? "",
                endsInitialEvents: metadata?["annotations"]?["k8s.io/initial-events-end"]?.stringValue == "true"
            )
        // The object may lack kind and apiVersion; type and code decide.
        case "ERROR": self = .failed(APIStatus(object))
        default: throw DocumentError(line: 1, message: "\(type) is no type of watch event")
        }
    }

    /// The word of the label `type`.
    var typeName: String {
        switch self {
        case .present(_, let wasAdded): wasAdded ? "added" : "modified"
        case .gone: "deleted"
        case .bookmark: "bookmark"
        case .failed: "error"
        }
    }
}

/// Why the API server refused something: its `Status`.
struct APIStatus: Sendable, Hashable {
    /// The code, as of HTTP.
    var code: Int
    /// A word for the reason, such as `Expired`.
    var reason = ""
    /// The reason in words.
    var message = ""
    /// Words for the causes, such as `ResourceVersionTooLarge`.
    var causes: [String] = []
    /// How long to wait, in seconds.
    var retryAfter: Int?

    /// Reads a `Status`, with what can be read of it.
    init(_ object: JSONValue) {
        code = object["code"]?.numberValue.flatMap { Int(exactly: $0) } ?? 0
        reason = object["reason"]?.stringValue ?? ""
        message = object["message"]?.stringValue ?? ""
        causes = object["details"]?["causes"]?.arrayValue?.compactMap { $0["reason"]?.stringValue } ?? []
        retryAfter = object["details"]?["retryAfterSeconds"]?.numberValue.flatMap { Int(exactly: $0) }
    }

    /// Reads the content of an answer that is no success; it may be plain text.
    init(code: Int, content: [UInt8]) {
        if let value = try? JSONDocument.parse(content), case .object = value {
            self.init(value)
        } else {
            self.init(.null)
            message = String(decoding: content.prefix(200), as: UTF8.self)
        }
        self.code = code
    }

    /// Whether a version is not held any more: of a watch in its stream, of a list as its status.
    var isExpired: Bool { code == 410 || reason == "Expired" || reason == "Gone" }

    /// Whether the server has not come to the version yet that was asked for.
    var isAheadOfServer: Bool {
        causes.contains("ResourceVersionTooLarge") || message.contains("Too large resource version")
    }
}
