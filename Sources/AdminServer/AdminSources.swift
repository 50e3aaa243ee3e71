// Wingmirror · Apache-2.0

/// What the endpoints show, asked of the rest of the agent at each request.
///
/// The server knows nothing of captures, routes or metrics: all it needs comes through these closures, which must not wait
/// for the capture thread, and may be called from several tasks at once. `health`, `readiness`, `pauseMirror`,
/// `expositionFormat` and `scrapeServed` must be quick, and `reload` do its work elsewhere: they are called on the threads that
/// all tasks share. The others are called on threads that are the server's own.
public struct AdminSources: Sendable {
    /// Renders the metrics in the format that fits the Accept field best; `nil` when `deadline` passed first.
    public var exposition: @Sendable (_ accept: String?, _ deadline: ContinuousClock.Instant?) async -> Exposition?
    /// A scrape was answered, in a format (`none` when there was nothing to render) and with a status code.
    public var scrapeServed: @Sendable (_ format: String, _ status: Int) -> Void
    /// Whether the capture loop makes progress.
    public var health: @Sendable () -> Probe
    /// Whether a route table is built and a source is open.
    public var readiness: @Sendable () -> Probe
    /// What the agent is doing, as a JSON document.
    public var status: @Sendable () async -> [UInt8]
    /// The configuration in force without secrets, as a JSON document.
    public var configuration: @Sendable () async -> [UInt8]
    /// Reads configuration and routes again.
    public var reload: @Sendable () async -> ReloadOutcome

    /// Names the format that fits an Accept field best: requests of one name get the same page.
    public var expositionFormat: @Sendable (_ accept: String?) -> String = { $0 ?? "" }
    /// Renders the families that Istio's proxies also have, as `exposition` does; `nil` where they are off.
    public var istioExposition:
        (@Sendable (_ accept: String?, _ deadline: ContinuousClock.Instant?) async -> Exposition?)?
    /// Answers a question of the JSON API.
    public var answer: @Sendable (_ question: AdminQuestion) async -> AdminAnswer = { _ in
        .missing("this agent does not answer that")
    }
    /// What has changed since it was asked last, as a JSON document.
    ///
    /// Asked about once a second while pages are open, and never twice at a time.
    public var changes: @Sendable () async -> [UInt8] = { Array("{}".utf8) }
    /// Stops sending shadow traffic, or takes it up again, and says what came of it; that it is missing where nothing is mirrored,
    /// which a reload may change.
    public var pauseMirror: @Sendable (_ isPaused: Bool) async -> AdminAnswer = { _ in
        .missing("mirroring is off (mirror.enabled)")
    }
    /// Begins the verdicts of a policy anew, or of all without a name, and says what came of it; that it is missing where nothing is
    /// mirrored.
    public var judgeAgain: @Sendable (_ policy: String?) async -> AdminAnswer = { _ in
        .missing("mirroring is off (mirror.enabled)")
    }

    /// Makes sources of the parts that every agent has; the others are off.
    public init(
        exposition: @escaping @Sendable (_ accept: String?, _ deadline: ContinuousClock.Instant?) async -> Exposition?,
        scrapeServed: @escaping @Sendable (_ format: String, _ status: Int) -> Void,
        health: @escaping @Sendable () -> Probe,
        readiness: @escaping @Sendable () -> Probe,
        status: @escaping @Sendable () async -> [UInt8],
        configuration: @escaping @Sendable () async -> [UInt8],
        reload: @escaping @Sendable () async -> ReloadOutcome
    ) {
        self.exposition = exposition
        self.scrapeServed = scrapeServed
        self.health = health
        self.readiness = readiness
        self.status = status
        self.configuration = configuration
        self.reload = reload
    }
}

/// Metrics, rendered in one of the formats.
public struct Exposition: Sendable {
    /// The value of the Content-Type field.
    public var contentType: String
    /// The short name of the format, for counting.
    public var format: String
    /// The whole page.
    public var octets: [UInt8]

    /// Makes a page of its parts.
    public init(contentType: String, format: String, octets: [UInt8]) {
        self.contentType = contentType
        self.format = format
        self.octets = octets
    }
}

/// The answer to a health or readiness question.
public struct Probe: Sendable, Hashable {
    /// Whether the answer is yes.
    public var isPassing: Bool
    /// Why, in one line.
    public var detail: String

    /// Makes an answer.
    public init(isPassing: Bool, detail: String) {
        self.isPassing = isPassing
        self.detail = detail
    }
}

/// How a reload went.
public enum ReloadOutcome: Sendable, Hashable {
    /// The new configuration is in force; the lines say what could not change without a restart.
    case reloaded([String])
    /// Nothing changed; the lines say why, one problem each.
    case rejected([String])
}
