// Wingmirror · Apache-2.0

import Foundation
import Synchronization
import TestServers
import Testing

@testable import KubernetesObjects

/// The connections to an API server, whoever is still at them when they are given up.
@Suite(.timeLimit(.minutes(20)))
struct HTTPTransportTests {
    private static func transport(_ server: TestAPIServer) -> HTTPTransport {
        HTTPTransport(ClusterAccess(server: server.url)) { 0 }
    }

    private static func text(_ answer: APIAnswer) async throws -> String {
        var octets: [UInt8] = []
        for try await part in answer.body { octets += part }
        return String(decoding: octets, as: UTF8.self)
    }

    @Test func `an answer is read to its end after the transport was closed and let go`() async throws {
        let server = try await TestAPIServer { _ in .answer(200, "whole") }
        let answer = try await {
            let transport = Self.transport(server)
            let answer = try await transport.send(APIRequest("/version"))
            transport.close()
            return answer
        }()
        #expect(try await Self.text(answer) == "whole")
        await server.close()
    }

    // AsyncHTTPClient ends the process when a client goes that was not shut down.
    @Test func `a request after the close is answered, and leaves nothing open that would end the process`()
        async throws
    {
        let server = try await TestAPIServer { _ in .answer(200, "again") }
        for _ in 0..<3 {
            let transport = Self.transport(server)
            _ = try await transport.send(APIRequest("/version"))
            transport.close()
            #expect(try await Self.text(try await transport.send(APIRequest("/version"))) == "again")
        }
        await server.close()
    }

    @Test func `requests that begin at once do not close each other's connections`() async throws {
        let server = try await TestAPIServer { _ in .answer(200, "one") }
        let transport = Self.transport(server)
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                group.addTask { try await Self.text(try await transport.send(APIRequest("/version"))) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(texts == [String](repeating: "one", count: 20))
        transport.close()
        await server.close()
    }

    @Test func `a request whose answer has no head in time is given up, and the next goes over another connection`()
        async throws
    {
        let mute = Mutex<Set<Int>>([])
        let answering = Mutex<Set<Int>>([])
        let server = try await TestAPIServer { request in
            if request.path == "/mute" {
                mute.withLock { _ = $0.insert(request.connection) }
                return AsyncStream { _ in }
            }
            answering.withLock { _ = $0.insert(request.connection) }
            return .answer(200, "well")
        }
        let transport = Self.transport(server)
        var request = APIRequest("/mute")
        request.headLimit = .milliseconds(200)
        // On a busy machine the time may be over before the request has come.
        repeat {
            try Task.checkCancellation()
            await #expect(throws: APIFailure.timedOut) { _ = try await transport.send(request) }
        } while mute.withLock(\.isEmpty)
        request = APIRequest("/version")
        request.headLimit = .seconds(600)
        #expect(try await Self.text(try await transport.send(request)) == "well")
        #expect(answering.withLock(\.self).isDisjoint(with: mute.withLock(\.self)))
        transport.close()
        await server.close()
    }

    @Test func `connections are given up for others after a time limit, and what is under way on them goes on`()
        async throws
    {
        let (steps, more) = AsyncStream.makeStream(of: ServerStep.self)
        let connections = Mutex<[Int]>([])
        let server = try await TestAPIServer { request in
            connections.withLock { $0.append(request.connection) }
            return request.path == "/long" ? steps : .answer(200, "well")
        }
        let transport = Self.transport(server)
        more.yield(.octets(AsyncStream<ServerStep>.chunkedHead))
        let long = try await transport.send(APIRequest("/long"))
        _ = try await Self.text(try await transport.send(APIRequest("/version")))
        transport.timedOut()
        _ = try await Self.text(try await transport.send(APIRequest("/version")))
        #expect(Set(connections.withLock(\.self)).count == 3)
        more.yield(.octets(AsyncStream<ServerStep>.chunk(Array("end".utf8)) + AsyncStream<ServerStep>.lastChunk))
        #expect(try await Self.text(long) == "end")
        transport.close()
        await server.close()
    }

    @Test func `the kernel asks the other end of an idle connection whether it is still there`() async throws {
        let (steps, more) = AsyncStream.makeStream(of: ServerStep.self)
        let server = try await TestAPIServer { _ in steps }
        let transport = Self.transport(server)
        more.yield(.octets(AsyncStream<ServerStep>.chunkedHead))
        let answer = try await transport.send(APIRequest("/watch"))
        let port = try #require(server.url.split(separator: ":").last.flatMap { Int($0) })
        // proc(5): the sixth column is the timer that runs, 02 that of keep-alive, and when it is due in hundredths of a second.
        let suffix = ":" + String(port, radix: 16, uppercase: true).leftPadded(to: 4)
        func timer() throws -> [Substring]? {
            // To its end: `String(contentsOfFile:)` takes the first page of such a file for all of it, which is not all connections
            // of a busy machine.
            let file = try #require(FileHandle(forReadingAtPath: "/proc/self/net/tcp"))
            let table = String(decoding: file.readDataToEndOfFile(), as: UTF8.self)
            return table.split(separator: "\n").dropFirst().map { $0.split(whereSeparator: \.isWhitespace) }
                .first { $0.count > 5 && $0[2].hasSuffix(suffix) && $0[3] == "01" }?[5].split(separator: ":")
        }
        var found = try timer()
        // A retransmission timer may run until the request has been acknowledged.
        while found?.first != "02", !Task.isCancelled {
            try await Task.sleep(for: .milliseconds(10))
            found = try timer()
        }
        #expect(found?.last.flatMap { Int($0, radix: 16) }.map { $0 <= 1500 } == true)
        more.yield(.octets(AsyncStream<ServerStep>.lastChunk))
        _ = try await Self.text(answer)
        transport.close()
        await server.close()
    }

    @Test func `a refusal without an end is read as far as a reason may go`() async throws {
        let endless = AsyncThrowingStream<[UInt8], any Error> { [UInt8](repeating: 0x78, count: 1_000) }
        #expect(try await RefusalContent(beginning: endless).octets.count == RefusalContent.limit)
        let short = AsyncThrowingStream<[UInt8], any Error> { continuation in
            for part in ["for", "bidden"] { continuation.yield(Array(part.utf8)) }
            continuation.finish()
        }
        #expect(try await RefusalContent(beginning: short).octets == Array("forbidden".utf8))
    }

    @Test func `a renewed file is read again after its time, and one that is too long, empty or gone changes nothing`()
        async throws
    {
        let file = FileManager.default.temporaryDirectory.appending(path: "renewed-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let time = Mutex<Int64>(0)
        let renewed = RenewedFile(file.path) { time.withLock(\.self) }
        await #expect(throws: APIFailure.self) { try await renewed.content() }
        try Data("one".utf8).write(to: file)
        #expect(try await renewed.content() == Array("one".utf8))
        for content in [Data(count: 2 << 20), Data(" \n".utf8), nil] {
            time.withLock { $0 += RenewedFile.interval * 1_000_000_000 }
            if let content { try content.write(to: file) } else { try FileManager.default.removeItem(at: file) }
            #expect(try await renewed.content() == Array("one".utf8))
        }
        try Data("two".utf8).write(to: file)
        #expect(try await renewed.content() == Array("one".utf8))
        #expect(await renewed.reread())
        #expect(try await renewed.content() == Array("two".utf8))
    }
}

extension String {
    fileprivate func leftPadded(to count: Int) -> String {
        String(repeating: "0", count: max(0, count - self.count)) + self
    }
}
