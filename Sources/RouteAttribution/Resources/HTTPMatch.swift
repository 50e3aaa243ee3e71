// Wingmirror · Apache-2.0

internal import JSONSyntax

/// One entry of a rule's match list; all its conditions must hold.
struct HTTPMatch: Sendable, Hashable {
    var name = ""
    var uri: StringMatch?
    var ignoreUriCase = false
    var scheme: StringMatch?
    var method: StringMatch?
    var authority: StringMatch?
    var headers: [NamedMatch] = []
    var withoutHeaders: [NamedMatch] = []
    var queryParams: [NamedMatch] = []
    var port: Int?
    var gateways: [String] = []
    var sourceLabels: [String: String] = [:]
    var sourceNamespace = ""
    var statPrefix = ""
    /// Where the entry was written.
    var origin = MatchOrigin()

    init() {}

    init(_ reader: FieldReader, index: Int) throws(ResourceError) {
        try reader.requireObject()
        func text(_ key: String) throws(ResourceError) -> StringMatch? {
            try reader.object(key) { field throws(ResourceError) in try StringMatch(field) }
        }
        func named(_ key: String) throws(ResourceError) -> [NamedMatch] {
            var result: [NamedMatch] = []
            for (name, entry) in try reader.entries(key) {
                result.append(NamedMatch(name: name, match: entry.value == .null ? nil : try StringMatch(entry)))
            }
            return result
        }
        name = try reader.string("name") ?? ""
        uri = try text("uri")
        ignoreUriCase = try reader.bool("ignoreUriCase") ?? false
        scheme = try text("scheme")
        method = try text("method")
        authority = try text("authority")
        headers = try named("headers")
        withoutHeaders = try named("withoutHeaders")
        queryParams = try named("queryParams")
        port = try reader.integer("port")
        if port == 0 { port = nil }
        gateways = try reader.strings("gateways")
        sourceLabels = try reader.stringMap("sourceLabels")
        sourceNamespace = try reader.string("sourceNamespace") ?? ""
        statPrefix = try reader.string("statPrefix") ?? ""
        origin = MatchOrigin(entry: index)
    }

    /// The path condition; without one, every path.
    var path: StringMatch {
        switch uri {
        case nil, .present: .prefix("/")
        case .segmentPrefix("/"), .segmentPrefix(""): .prefix("/")
        case let uri?: uri
        }
    }

    /// Whether the entry takes every request, so that Istio looks at nothing behind it.
    var isCatchAll: Bool {
        guard path == .prefix("/") || path == .regex(".*") else { return false }
        return headers.isEmpty && withoutHeaders.isEmpty && queryParams.isEmpty
            && scheme == nil && method == nil && authority == nil
    }
}

/// Which entries of which lists a match entry stands for.
struct MatchOrigin: Sendable, Hashable {
    /// The index in the list it was written in; `nil` where the rule has no list.
    var entry: Int?
    /// For an entry merged from a root and a delegate: the index in each.
    var merged: MergedMatch?

    init(entry: Int? = nil, merged: MergedMatch? = nil) {
        self.entry = entry
        self.merged = merged
    }
}

/// The two entries that a delegate's merged match entry came from.
public struct MergedMatch: Sendable, Hashable {
    /// The entry of the root's rule; `nil` where the rule has no list.
    public let root: Int?
    /// The entry of the delegate's rule; `nil` where the rule has no list.
    public let delegate: Int?
}
