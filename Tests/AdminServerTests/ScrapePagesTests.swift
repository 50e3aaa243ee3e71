// Wingmirror · Apache-2.0

import NIOCore
import Synchronization
import Testing

@testable import AdminServer

@Suite(.timeLimit(.minutes(20)))
struct ScrapePagesTests {
    private static let key = ScrapePages.Key(endpoint: .metrics, format: "text", isCompressed: false)

    private static func content(_ text: String) -> ScrapePages.Content {
        ScrapePages.Content(
            Exposition(contentType: "text/plain", format: "text", octets: Array(text.utf8)),
            compressed: false
        )
    }

    private static func limits(_ change: (inout AdminLimits) -> Void = { _ in }) -> AdminLimits {
        var limits = AdminLimits()
        // Whether a page is fresh is then no question of how fast the test runs.
        limits.scrapeSharing = .seconds(3600)
        change(&limits)
        return limits
    }

    private func reading(_ outcome: ScrapePages.Outcome) throws -> ScrapePages.Reading {
        guard case .page(let reading) = outcome else { throw Missing() }
        return reading
    }

    private struct Missing: Error {}

    @Test func `a page that is still being read is shared, and gone when its last reader is done`() async throws {
        let pages = ScrapePages(limits: Self.limits())
        let rendered = Atomic<Int>(0)
        let render = { () -> ScrapePages.Content? in
            rendered.add(1, ordering: .relaxed)
            return Self.content("one")
        }
        var first: ScrapePages.Reading? = try reading(await pages.page(Self.key, render))
        var second: ScrapePages.Reading? = try reading(await pages.page(Self.key, render))
        let isShared = first?.content.buffer == second?.content.buffer
        #expect(isShared)
        #expect(rendered.load(ordering: .relaxed) == 1)
        first = nil
        #expect(pages.count == 1)
        second = nil
        #expect(pages.count == 0)
        _ = try reading(await pages.page(Self.key, render))
        #expect(rendered.load(ordering: .relaxed) == 2)
        #expect(first == nil && second == nil)
    }

    @Test func `those who ask while a page is being rendered get that page`() async throws {
        let pages = ScrapePages(limits: Self.limits())
        let rendered = Atomic<Int>(0)
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let texts = try await withThrowingTaskGroup(of: String.self) { tasks in
            let render = { @Sendable () async -> ScrapePages.Content? in
                rendered.add(1, ordering: .relaxed)
                for await _ in gate { break }
                return Self.content("shared")
            }
            for _ in 0..<20 {
                tasks.addTask {
                    let outcome = await pages.page(Self.key, render)
                    return String(buffer: try self.reading(outcome).content.buffer)
                }
            }
            while pages.waitingCount < 19, !Task.isCancelled { await Task.yield() }
            open.finish()
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
        #expect(texts == Array(repeating: "shared", count: 20))
        #expect(rendered.load(ordering: .relaxed) == 1)
        #expect(pages.count == 0)
    }

    @Test func `pages that were asked for a moment ago keep their places, and another is refused`() async throws {
        let pages = ScrapePages(limits: Self.limits { $0.scrapes = 2 })
        var held: [ScrapePages.Reading] = []
        for format in ["a", "b"] {
            let key = ScrapePages.Key(endpoint: .metrics, format: format, isCompressed: false)
            held.append(try reading(await pages.page(key) { Self.content(format) }))
        }
        let third = await pages.page(Self.key) { Self.content("c") }
        guard case .busy = third else {
            Issue.record("a third page got a place")
            return
        }
        #expect(held.count == 2)
    }

    @Test func `one peer leaves a place to the others, and this machine may have all`() async throws {
        let pages = ScrapePages(
            limits: Self.limits {
                $0.scrapes = 3
                $0.scrapesPerPeer = 2
            }
        )
        let greedy = ConnectionPlaces.Peer.other(network: 0, host: 1)
        var held: [ScrapePages.Reading] = []
        func ask(_ format: String, as peer: ConnectionPlaces.Peer) async -> Bool {
            let key = ScrapePages.Key(endpoint: .metrics, format: format, isCompressed: false)
            guard case .page(let reading) = await pages.page(key, for: peer, { Self.content(format) }) else {
                return false
            }
            held.append(reading)
            return true
        }
        #expect(await ask("a", as: greedy))
        #expect(await ask("b", as: greedy))
        #expect(await !ask("c", as: greedy))
        // What is there already is shared all the same.
        #expect(await ask("a", as: greedy))
        #expect(await ask("c", as: .other(network: 0, host: 2)))
        #expect(pages.count == 3)
        held.removeAll()
        for format in ["a", "b", "c"] { #expect(await ask(format, as: .own)) }
        #expect(pages.count == 3)
    }

    @Test func `the page that is read for longest is given up for another, with its readers`() async throws {
        let pages = ScrapePages(
            limits: Self.limits {
                $0.scrapes = 2
                $0.scrapeSharing = .zero
            }
        )
        let closed = Mutex<[String]>([])
        var held: [ScrapePages.Reading] = []
        for name in ["oldest", "older"] {
            let reading = try reading(await pages.page(Self.key) { Self.content(name) })
            reading.whenGivenUp { closed.withLock { $0.append(name) } }
            held.append(reading)
        }
        let third = try reading(await pages.page(Self.key) { Self.content("newest") })
        #expect(String(buffer: third.content.buffer) == "newest")
        #expect(closed.withLock { $0 } == ["oldest"])
        #expect(pages.count == 2)
        held.removeAll()
        #expect(pages.count == 1)
    }

    @Test func `one peer that asks for page after page ends those that nobody else reads`() async throws {
        let pages = ScrapePages(
            limits: Self.limits {
                $0.scrapes = 4
                $0.scrapesPerPeer = 2
                $0.scrapeSharing = .zero
            }
        )
        let greedy = ConnectionPlaces.Peer.other(network: 0, host: 1)
        let closed = Mutex<[String]>([])
        func ask(_ name: String, as peer: ConnectionPlaces.Peer) async throws -> ScrapePages.Reading {
            let reading = try reading(await pages.page(Self.key, for: peer) { Self.content(name) })
            reading.whenGivenUp { closed.withLock { $0.append(name) } }
            return reading
        }
        let others = [
            try await ask("first", as: .other(network: 0, host: 2)),
            try await ask("second", as: .other(network: 0, host: 3)),
        ]
        var greedyOnes = [try await ask("a", as: greedy), try await ask("b", as: greedy)]
        greedyOnes.append(try await ask("c", as: greedy))
        #expect(closed.withLock { $0 } == ["a"])
        // All places are taken: room is made by whoever has the most.
        let third = try await ask("third", as: .other(network: 0, host: 4))
        #expect(closed.withLock { $0 } == ["a", "b"])
        #expect(pages.count == 4)
        #expect(others.count + greedyOnes.count == 5 && String(buffer: third.content.buffer) == "third")
    }

    @Test func `one peer does not end a page that another shares`() async throws {
        let pages = ScrapePages(limits: Self.limits { $0.scrapesPerPeer = 1 })
        let greedy = ConnectionPlaces.Peer.other(network: 0, host: 1)
        let closed = Mutex<[String]>([])
        let first = try reading(await pages.page(Self.key, for: greedy) { Self.content("shared") })
        let shared = try reading(await pages.page(Self.key, for: .other(network: 0, host: 2)) { nil })
        shared.whenGivenUp { closed.withLock { $0.append("shared") } }
        let other = ScrapePages.Key(endpoint: .metrics, format: "other", isCompressed: false)
        let outcome = await pages.page(other, for: greedy) { Self.content("other") }
        guard case .busy = outcome else {
            Issue.record("a page that another reads was given up")
            return
        }
        #expect(closed.withLock { $0 } == [])
        #expect(first.content.buffer == shared.content.buffer)
    }

    @Test func `a page counts for those who still read it, not for the one who asked and has read it`() async throws {
        let pages = ScrapePages(limits: Self.limits { $0.scrapesPerPeer = 1 })
        let scraper = ConnectionPlaces.Peer.other(network: 0, host: 1)
        let slow = ConnectionPlaces.Peer.other(network: 0, host: 2)
        var first: ScrapePages.Reading? = try reading(
            await pages.page(Self.key, for: scraper) { Self.content("shared") }
        )
        let shared = try reading(await pages.page(Self.key, for: slow) { Self.content("none") })
        let isShared = first?.content.buffer == shared.content.buffer
        #expect(isShared)
        first = nil
        let other = ScrapePages.Key(endpoint: .metrics, format: "other", isCompressed: false)
        let next = try reading(await pages.page(other, for: scraper) { Self.content("other") })
        #expect(String(buffer: next.content.buffer) == "other")
        #expect(pages.count == 2)
        #expect(first == nil && String(buffer: shared.content.buffer) == "shared")
    }

    @Test func `what could not be rendered in time holds no place`() async {
        let pages = ScrapePages(limits: Self.limits())
        let outcome = await pages.page(Self.key) { nil }
        guard case .late = outcome else {
            Issue.record("there is a page")
            return
        }
        #expect(pages.count == 0)
    }
}
