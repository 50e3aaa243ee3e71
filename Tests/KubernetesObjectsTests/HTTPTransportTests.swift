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
