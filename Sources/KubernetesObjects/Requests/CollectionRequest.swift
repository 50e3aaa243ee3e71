// Wingmirror · Apache-2.0
// Kubernetes API concepts: parameters of list and watch.

/// From which state on a list is wanted.
enum ListVersion: Sendable, Hashable {
    /// Whatever the server has in its watch cache: the cheapest, perhaps older than what was seen before.
    case any
    /// Not older than a version that was seen.
    case notOlderThan(String)
    /// The most recent: read from the store by a quorum, the dearest.
    case mostRecent
}

/// One request for a collection.
enum CollectionRequest: Sendable, Hashable {
    /// One page of a list; `token` continues the list that the pages before began.
    case list(ListVersion, token: String?, limit: Int?)
    /// Changes after a version.
    case watch(after: String)
    /// The whole state as events, a bookmark, then changes (KEP-3157).
    case streamingList

    /// Whether the answer is a stream of events.
    var isWatch: Bool {
        if case .list = self { false } else { true }
    }
}

/// A request as it goes to the API server.
package struct APIRequest: Sendable, Hashable {
    /// Path and query.
    package var target: String
    /// What is accepted.
    package var accept: String
    /// Whether the answer may be compressed with gzip.
    package var acceptsGzip: Bool
    /// How long the whole exchange may take.
    package var timeLimit: Duration
    /// How long the head of the answer may take.
    package var headLimit: Duration = .seconds(30)
    /// What is sent: JSON, in a POST; `nil` for a GET.
    package var content: [UInt8]?

    /// Makes a request.
    package init(
        _ target: String,
        accept: String = "application/json",
        acceptsGzip: Bool = true,
        timeLimit: Duration = .seconds(60),
        content: [UInt8]? = nil
    ) {
        self.target = target
        self.accept = accept
        self.acceptsGzip = acceptsGzip
        self.timeLimit = timeLimit
        self.content = content
    }

    /// Makes the request for a collection.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - collection: Of what.
    ///   - watchSeconds: After how many seconds the server is to end a watch.
    init(_ request: CollectionRequest, of collection: ResourceCollection, watchSeconds: Int) {
        var query: [(String, String)] = []
        switch request {
        case .list(let version, let token, let limit):
            if let limit { query.append(("limit", String(limit))) }
            if let token {
                // The version is part of the token.
                query.append(("continue", token))
            } else {
                switch version {
                case .any: query.append(("resourceVersion", "0"))
                case .notOlderThan(let version):
                    // With a limit and without a match the version would be meant exactly.
                    query += [("resourceVersion", version), ("resourceVersionMatch", "NotOlderThan")]
                case .mostRecent: break
                }
            }
        case .watch(let version):
            query = [
                ("watch", "1"), ("allowWatchBookmarks", "true"), ("resourceVersion", version),
                ("timeoutSeconds", String(watchSeconds)),
            ]
        case .streamingList:
            query = [
                ("watch", "1"), ("allowWatchBookmarks", "true"), ("sendInitialEvents", "true"),
                ("resourceVersionMatch", "NotOlderThan"), ("timeoutSeconds", String(watchSeconds)),
            ]
        }
        if !collection.labelSelector.isEmpty { query.append(("labelSelector", collection.labelSelector)) }
        if !collection.fieldSelector.isEmpty { query.append(("fieldSelector", collection.fieldSelector)) }
        let text = query.map { "\($0.0)=\(PercentEncoding.query($0.1))" }.joined(separator: "&")
        target = text.isEmpty ? collection.path : "\(collection.path)?\(text)"
        if collection.isMetadataOnly {
            let kind = request.isWatch ? "PartialObjectMetadata" : "PartialObjectMetadataList"
            accept = "application/json;as=\(kind);g=meta.k8s.io;v=v1,application/json"
        } else {
            // Custom resources are JSON only.
            accept = "application/json"
        }
        // Watches are never compressed, and a compressor would hold events back.
        acceptsGzip = !request.isWatch
        // Lists of many objects are written out before the first byte is sent.
        if !request.isWatch { headLimit = .seconds(60) }
        timeLimit = request.isWatch ? .seconds(watchSeconds + 30) : .seconds(120)
    }
}
