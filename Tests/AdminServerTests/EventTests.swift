// Wingmirror · Apache-2.0

import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import AdminServer

@Suite(.timeLimit(.minutes(20)))
struct EventTests {
    @Test func `each line of the data is a line of the event, whatever ends it`() {
        let event = ServerSentEvent(name: "changes", data: Array("a\nb\r\nc\rd".utf8))
        #expect(
            String(decoding: event.octets, as: UTF8.self) == "event: changes\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
        )
    }

    @Test func `data cannot end an event or begin another`() {
        let event = ServerSentEvent(name: "changes", data: Array("x\n\nevent: other\ndata: y".utf8))
        let lines = String(decoding: event.octets, as: UTF8.self).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        #expect(lines == ["event: changes", "data: x", "data: ", "data: event: other", "data: data: y", "", ""])
    }

    @Test func `a page is told how to connect again, and then of changes`() async throws {
        var sources = AdminSources.fixed()
        sources.changes = { Array(#"{"sequence":1}"#.utf8) }
        try await withServer(sources, limits: .quick) { port in
            let (head, blocks) = try await EventReader.read(3, port: port)
            #expect(head.contains("Content-Type: text/event-stream"))
            #expect(head.contains("Cache-Control: no-store"))
            let event = "event: changes\ndata: {\"sequence\":1}"
            #expect(blocks == ["retry: 2000", event, event])
        }
    }

    @Test func `all pages share one rendering`() async throws {
        let rendered = Atomic<Int>(0)
        var sources = AdminSources.fixed()
        sources.changes = { Array("\(rendered.add(1, ordering: .relaxed).newValue)".utf8) }
        var limits = AdminLimits.quick
        // The event loops serve the pages and their readers: where a hundred writes take longer than the time between two
        // events, as in a debug build on a busy machine, nothing would be read any more.
        limits.eventInterval = .milliseconds(200)
        try await withServer(sources, limits: limits) { port in
            try await withThrowingTaskGroup(of: [String].self) { tasks in
                for _ in 0..<100 {
                    tasks.addTask { try await EventReader.read(4, port: port).blocks }
                }
                var events: Set<String> = []
                for try await blocks in tasks {
                    #expect(blocks.count == 4)
                    events.formUnion(blocks.dropFirst())
                }
                // A hundred pages saw three events each; had each page renderings of its own, all would differ.
                #expect(events.count < 300)
            }
        }
    }

    @Test func `nothing is rendered while no page is open`() async throws {
        let renderedForNoPage = Atomic<Int>(0)
        let board = EventBoard(limit: 1)
        let telling = Task {
            await board.run(every: .zero) {
                if board.listenerCount == 0 { renderedForNoPage.add(1, ordering: .relaxed) }
                return []
            }
        }
        let listener = try #require(board.listen())
        for await _ in listener.events { break }
        telling.cancel()
        await telling.value
        #expect(renderedForNoPage.load(ordering: .relaxed) == 0)
        // Until here: a page that goes while an event of it is being rendered is no page less for that event.
        withExtendedLifetime(listener) {}
    }

    @Test func `of a page that reads slowly only the newest event waits`() async throws {
        let board = EventBoard(limit: 1)
        let listener = try #require(board.listen())
        let rendered = Atomic<Int>(0)
        let bell = ChangeBell()
        let telling = Task {
            await board.run(every: .zero) {
                defer { bell.ring() }
                return Array("\(rendered.add(1, ordering: .relaxed).newValue)".utf8)
            }
        }
        await bell.wait { rendered.load(ordering: .relaxed) >= 50 }
        telling.cancel()
        await telling.value
        var waiting = listener.events.makeAsyncIterator()
        let event = try #require(await waiting.next())
        let latest = rendered.load(ordering: .relaxed)
        #expect(String(buffer: event) == "event: changes\ndata: \(latest)\n\n")
    }

    @Test func `more pages than the limit are refused, until one goes`() async throws {
        let board = EventBoard(limit: 2)
        var first = board.listen()
        let second = board.listen()
        #expect(first != nil && second != nil)
        #expect(board.listen() == nil)
        #expect(board.listenerCount == 2)
        first = nil
        #expect(board.listenerCount == 1)
        #expect(board.listen() != nil)
        withExtendedLifetime(second) {}
    }

    @Test func `a page too many is answered 503 with the time to try again`() async throws {
        var limits = AdminLimits.quick
        limits.listeners = 0
        try await withServer(.fixed(), limits: limits) { port in
            let response = try await TestClient.request("GET", "/api/v1/events", port: port)
            #expect(response.status == 503)
            #expect(response.fields["retry-after"] == "10")
        }
    }

    @Test func `a page that does not read is cut off, and the others go on`() async throws {
        var limits = AdminLimits.quick
        limits.eventTimeout = .milliseconds(200)
        var sources = AdminSources.fixed()
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        sources.changes = { large }
        limits.listeners = 1
        try await withServer(sources, limits: limits) { port in
            try await EventReader.openWithoutReading(port: port)
            var status = 0
            // Its place is free again once it is cut off; if it never is, the test's time limit ends this.
            while status != 200, !Task.isCancelled {
                status = try await EventReader.status(port: port)
            }
            #expect(status == 200)
            let health = try await TestClient.request("GET", "/healthz", port: port).status
            #expect(health == 200)
        }
    }

    @Test func `open pages do not hold up a shutdown, which closes them`() async throws {
        let pages = Mutex<[any Channel]>([])
        try await withServer(.fixed(), limits: .quick) { port in
            // The body returns while a page still listens.
            let page = try await EventReader.openAndLeaveOpen(port: port)
            #expect(page.isActive)
            pages.withLock { $0.append(page) }
        }
        let page = try #require(pages.withLock { $0.first })
        // Cancelled by the time limit, the wait ends as well.
        try await withTaskCancellationHandler {
            try await page.closeFuture.get()
        } onCancel: {
            page.close(promise: nil)
        }
        #expect(!page.isActive)
    }
}

extension AdminLimits {
    /// Limits with which events come fast.
    fileprivate static var quick: AdminLimits {
        var limits = AdminLimits.patient
        limits.eventInterval = .milliseconds(5)
        return limits
    }
}
