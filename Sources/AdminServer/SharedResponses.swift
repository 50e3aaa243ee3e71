// Wingmirror · Apache-2.0

import Synchronization

/// What all listeners of an agent share: connections, pages, documents and the threads that make them.
final class SharedResponses: Sendable {
    /// The places for connections.
    let places: ConnectionPlaces
    /// The pages of metrics.
    let pages: ScrapePages
    /// The documents that wait to be read.
    let documents: WaitingDocuments
    /// The open pages that are told of changes.
    let events: EventBoard
    /// Renders pages of metrics.
    let scrapeThread = WorkThread("scrapes")
    /// Answers everything else that is more than a line.
    let documentThread = WorkThread("documents")

    /// Makes what `limits` allow.
    init(limits: AdminLimits) {
        places = ConnectionPlaces(limits: limits)
        pages = ScrapePages(limits: limits)
        documents = WaitingDocuments(limit: limits.documentBytes)
        events = EventBoard(limit: limits.listeners)
    }
}

/// Bounds the octets of documents that are held until their peers have read them.
final class WaitingDocuments: Sendable {
    private let limit: Int
    private let octets = Atomic<Int>(0)

    /// Makes room for `limit` octets; a single document may be larger.
    init(limit: Int) {
        self.limit = limit
    }

    /// Octets that wait now.
    var count: Int { octets.load(ordering: .relaxed) }

    /// A document's part of them, until it is released.
    final class Share: Sendable {
        private let size: Int
        private let documents: WaitingDocuments

        fileprivate init(_ size: Int, of documents: WaitingDocuments) {
            self.size = size
            self.documents = documents
        }

        deinit {
            documents.octets.subtract(size, ordering: .relaxed)
        }
    }

    /// Enters a document of so many octets among those that wait; `nil` when too many do.
    func hold(_ size: Int) -> Share? {
        let before = octets.add(size, ordering: .relaxed).oldValue
        let share = Share(size, of: self)
        guard before == 0 || before + size <= limit else { return nil }
        return share
    }
}
