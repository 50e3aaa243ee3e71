// Wingmirror · Apache-2.0

/// A question to the JSON API, and what the request says beside it.
public struct AdminQuestion: Sendable {
    /// What is asked about.
    public enum Subject: Sendable, Hashable, CaseIterable {
        /// The routes and what they do, or one of them in detail.
        case routes
        /// The exchanges seen lately.
        case exchanges
        /// Which route takes a request, and why the earlier ones do not.
        case explain
        /// The requests that no route took.
        case unmatched
        /// What is wrong with route objects, or has no effect.
        case findings
        /// What mirroring does and has found out.
        case mirror
        /// What changed in the agent and in what it goes by, and when.
        case timeline
        /// The packets of a connection that are kept.
        case packets
    }

    /// One parameter of the query.
    public struct Parameter: Sendable, Hashable {
        /// The name, as written.
        public var name: String
        /// The value, percent-decoded.
        public var value: String

        /// Makes a parameter.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What is asked about.
    public var subject: Subject
    /// The parameters of the query, in order; a name may occur several times.
    public var parameters: [Parameter]
    /// The content of a POST; `nil` for a GET.
    public var content: [UInt8]?

    /// Makes a question.
    public init(_ subject: Subject, parameters: [Parameter] = [], content: [UInt8]? = nil) {
        self.subject = subject
        self.parameters = parameters
        self.content = content
    }

    /// The first value of a parameter; `nil` without the parameter.
    public func value(_ name: String) -> String? {
        parameters.first { $0.name == name }?.value
    }

    /// All values of a parameter.
    public func values(_ name: String) -> [String] {
        parameters.filter { $0.name == name }.map(\.value)
    }
}

/// An answer of the JSON API.
public enum AdminAnswer: Sendable, Equatable {
    /// A JSON document.
    case document([UInt8])
    /// A file to be saved.
    case file(AdminFile)
    /// The question makes no sense; the sentence says why.
    case refused(String)
    /// What was asked about is not there; the sentence says what.
    case missing(String)
}

/// A file to be saved.
public struct AdminFile: Sendable, Equatable {
    /// Its content.
    public var octets: [UInt8]
    /// The value of the Content-Type field.
    public var mediaType: String
    /// The name that a browser gives it: letters, digits, hyphens and dots.
    public var name: String
    /// What is in it, in a sentence of printable ASCII characters.
    public var note: String

    /// Makes a file of its parts.
    public init(octets: [UInt8], mediaType: String, name: String, note: String) {
        self.octets = octets
        self.mediaType = mediaType
        self.name = name
        self.note = note
    }
}
