// Wingmirror · Apache-2.0

import NIOCore
import Synchronization

/// Pages of metrics from the moment they are asked for until they have been read, of which there are only a few.
///
/// Scrapers that ask for the same format while a page of it is being rendered or read, and is not older than a second, share
/// that page: many slow readers then cost what one costs. When all places are taken, the page that has been read for longest,
/// of those of the peer with the most, is given up together with the connections of those who still read it. A page costs
/// memory until its last reader is done, so what scrapers can make the agent hold is bounded by the number of places, however
/// many there are. One peer cannot have all of them, nor end what others read by asking for more.
final class ScrapePages: Sendable {
    /// A rendered page.
    struct Content: Sendable {
        /// The value of the Content-Type field.
        let contentType: String
        /// The short name of the format, for counting.
        let format: String
        /// Whether the octets are gzip.
        let isCompressed: Bool
        /// The octets as they are sent, shared by all readers.
        let buffer: ByteBuffer

        /// Makes what is sent of a rendered page; without memory for compressing it is sent as it is.
        init(_ exposition: Exposition, compressed: Bool) {
            contentType = exposition.contentType
            format = exposition.format
            let octets = compressed ? GzipEncoder.compress(exposition.octets) : nil
            isCompressed = octets != nil
            buffer = ByteBuffer(bytes: octets ?? exposition.octets)
        }
    }

    /// What came of asking for a page.
    enum Outcome: Sendable {
        /// A reader's share of a page.
        case page(Reading)
        /// All places are taken by pages that were asked for a moment ago.
        case busy
        /// It could not be rendered in time.
        case late
    }

    /// A reader's share of a page, until it is released.
    final class Reading: Sendable {
        /// The page.
        let content: Content
        private let pages: ScrapePages
        private let page: Int
        private let number: Int
        private let closing = Mutex<(@Sendable () -> Void)?>(nil)
        private let isGivenUp = Atomic<Bool>(false)

        fileprivate init(_ content: Content, of page: Int, number: Int, _ pages: ScrapePages) {
            self.content = content
            self.pages = pages
            self.page = page
            self.number = number
        }

        /// Says how the reader's connection is closed when the page is given up.
        func whenGivenUp(_ close: @escaping @Sendable () -> Void) {
            closing.withLock { $0 = close }
            if isGivenUp.load(ordering: .sequentiallyConsistent) { close() }
        }

        fileprivate func giveUp() {
            isGivenUp.store(true, ordering: .sequentiallyConsistent)
            closing.withLock { $0 }?()
        }

        deinit {
            pages.released(number, of: page)
        }
    }

    /// What makes pages the same.
    struct Key: Hashable, Sendable {
        /// Which families.
        var endpoint: AdminEndpoint
        /// The format, as the renderer names it.
        var format: String
        /// Whether it is compressed.
        var isCompressed: Bool
    }

    private struct Page {
        let key: Key
        /// Whoever asked for it first.
        let asker: ConnectionPlaces.Peer
        let askedAt: ContinuousClock.Instant
        var content: Content?
        var waiting: [Waiter] = []
        var readers: [Int: WeakReading] = [:]

        /// For whom it counts: whoever asked, until that one has read it, and then the first of those who still do.
        ///
        /// One who shares the pages of another and reads them slowly would otherwise use up the other's part.
        var holder: ConnectionPlaces.Peer {
            if content == nil || readers.values.contains(where: { $0.peer == asker }) { return asker }
            return readers.min { $0.key < $1.key }?.value.peer ?? asker
        }
    }

    /// A scraper that waits for a page to be rendered.
    private struct Waiter {
        let peer: ConnectionPlaces.Peer
        let continuation: CheckedContinuation<Outcome, Never>
    }

    private struct WeakReading {
        let peer: ConnectionPlaces.Peer
        weak var reading: Reading?
    }

    private struct State {
        var pages: [Int: Page] = [:]
        var nextNumber = 0
    }

    private let limit: Int
    private let limitPerPeer: Int
    private let sharingTime: Duration
    private let state = Mutex(State())

    /// Makes as many places as the limits say.
    init(limits: AdminLimits) {
        limit = limits.scrapes
        limitPerPeer = limits.scrapesPerPeer
        sharingTime = limits.scrapeSharing
    }

    /// Pages that take up memory now.
    var count: Int { state.withLock { $0.pages.count } }

    /// Scrapers that wait for a page that is being rendered.
    var waitingCount: Int { state.withLock { $0.pages.values.reduce(0) { $0 + $1.waiting.count } } }

    private enum Ticket {
        case share(Reading)
        case wait(Int)
        case render(Int, givenUp: [Reading])
        case busy
    }

    /// Gives the caller a page: one that is there, one that is being rendered, or one that `render` makes.
    ///
    /// - Parameters:
    ///   - key: What page.
    ///   - peer: Who asks.
    ///   - render: Renders it; `nil` when there is no time for it.
    /// - Returns: The caller's share of the page, or why there is none.
    func page(
        _ key: Key,
        for peer: ConnectionPlaces.Peer = .own,
        _ render: () async -> Content?
    ) async -> Outcome {
        let now = ContinuousClock.now
        switch state.withLock({ ticket(key, for: peer, at: now, &$0) }) {
        case .share(let reading):
            return .page(reading)
        case .busy:
            return .busy
        case .wait(let number):
            return await withCheckedContinuation { continuation in
                let reading = state.withLock { state -> Outcome? in
                    guard let page = state.pages[number] else { return .busy }
                    guard let content = page.content else {
                        state.pages[number]?.waiting.append(Waiter(peer: peer, continuation: continuation))
                        return nil
                    }
                    return .page(read(number, content, as: peer, &state))
                }
                if let reading { continuation.resume(returning: reading) }
            }
        case .render(let number, let givenUp):
            for reading in givenUp { reading.giveUp() }
            return rendered(number, await render(), for: peer)
        }
    }

    private func ticket(
        _ key: Key,
        for peer: ConnectionPlaces.Peer,
        at now: ContinuousClock.Instant,
        _ state: inout State
    ) -> Ticket {
        let fresh = state.pages.filter { $0.value.key == key && now - $0.value.askedAt < sharingTime }
        if let (number, page) = fresh.max(by: { $0.value.askedAt < $1.value.askedAt }) {
            return page.content.map { .share(read(number, $0, as: peer, &state)) } ?? .wait(number)
        }
        var givenUp: [Reading] = []
        if let crowd = crowd(of: peer, in: state) {
            let old = crowd.filter { $0.value.content != nil && now - $0.value.askedAt >= sharingTime }
            guard let number = Self.leastDeserved(of: old, in: state), let page = state.pages[number] else {
                return .busy
            }
            givenUp = page.readers.values.compactMap(\.reading)
            state.pages[number] = nil
        }
        state.nextNumber += 1
        state.pages[state.nextNumber] = Page(key: key, asker: peer, askedAt: now)
        return .render(state.nextNumber, givenUp: givenUp)
    }

    /// The pages of which one has to go before `peer` can have another; `nil` while there is room.
    ///
    /// A peer that has its part makes room with pages that no other reads.
    private func crowd(of peer: ConnectionPlaces.Peer, in state: State) -> [Int: Page]? {
        let own = peer == .own ? [:] : state.pages.filter { $0.value.holder == peer }
        if own.count >= limitPerPeer {
            return own.filter { $0.value.readers.values.allSatisfy { $0.peer == peer } }
        }
        return state.pages.count >= limit ? state.pages : nil
    }

    /// The page that was asked for longest ago by whoever has the most pages.
    private static func leastDeserved(of pages: [Int: Page], in state: State) -> Int? {
        var counts: [ConnectionPlaces.Peer: Int] = [:]
        for page in state.pages.values { counts[page.holder, default: 0] += 1 }
        return pages.min { left, right in
            let (more, fewer) = (counts[left.value.holder, default: 0], counts[right.value.holder, default: 0])
            return more == fewer ? left.value.askedAt < right.value.askedAt : more > fewer
        }?.key
    }

    private func rendered(_ number: Int, _ content: Content?, for peer: ConnectionPlaces.Peer) -> Outcome {
        let (waiting, outcomes) = state.withLock { state -> ([Waiter], [Outcome]) in
            let waiting = state.pages[number]?.waiting ?? []
            guard let content else {
                state.pages[number] = nil
                return (waiting, Array(repeating: .late, count: waiting.count + 1))
            }
            state.pages[number]?.waiting = []
            state.pages[number]?.content = content
            return (waiting, (waiting.map(\.peer) + [peer]).map { .page(read(number, content, as: $0, &state)) })
        }
        for (waiter, outcome) in zip(waiting, outcomes) { waiter.continuation.resume(returning: outcome) }
        return outcomes.last ?? .late
    }

    /// Enters another reader; under the lock.
    private func read(
        _ page: Int,
        _ content: Content,
        as peer: ConnectionPlaces.Peer,
        _ state: inout State
    ) -> Reading {
        state.nextNumber += 1
        let reading = Reading(content, of: page, number: state.nextNumber, self)
        state.pages[page]?.readers[state.nextNumber] = WeakReading(peer: peer, reading: reading)
        return reading
    }

    private func released(_ reader: Int, of page: Int) {
        state.withLock { state in
            state.pages[page]?.readers[reader] = nil
            // A page that is still being rendered has no readers yet.
            if let left = state.pages[page], left.content != nil, left.readers.isEmpty { state.pages[page] = nil }
        }
    }
}
