// Wingmirror · Apache-2.0

import AdminServer
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import TestServers
import Testing

/// Endpoints inside TLS.
@Suite(.timeLimit(.minutes(20)), .enabled(if: TestCertificate.canBeMade))
struct CertificateTests {
    private static func files(_ certificate: TestCertificate) throws -> (chain: [UInt8], key: [UInt8]) {
        func octets(_ name: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: certificate.folder.appending(path: name)))
        }
        return (try octets("server.pem"), try octets("server.key"))
    }

    /// The head of the answer to a request for health, as somebody gets it who trusts an authority.
    private static func health(port: Int, trusting certificate: TestCertificate) async throws -> String {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(certificate.authority)
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await TestClient.bootstrap
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: "localhost")
                    )
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            try await outbound.write(ByteBuffer(string: request))
            var text = ""
            for try await buffer in inbound {
                text += String(buffer: buffer)
                if text.contains("\r\n\r\n") { break }
            }
            return text
        }
    }

    @Test func `the endpoints are served with the certificate, and with another from its renewal on`() async throws {
        let first = try TestCertificate(for: "localhost")
        let second = try TestCertificate(for: "localhost")
        defer {
            first.remove()
            second.remove()
        }
        let old = try Self.files(first)
        let certificate = try AdminCertificate(chain: old.chain, key: old.key)
        try await withServer(.fixed(), certificate: certificate) { port in
            let before = try await Self.health(port: port, trusting: first)
            #expect(before.hasPrefix("HTTP/1.1 200"))
            await #expect(throws: (any Error).self) { try await Self.health(port: port, trusting: second) }
            let new = try Self.files(second)
            #expect(try certificate.replace(chain: new.chain, key: new.key))
            let after = try await Self.health(port: port, trusting: second)
            #expect(after.hasPrefix("HTTP/1.1 200"))
            #expect(try !certificate.replace(chain: new.chain, key: new.key))
        }
    }

    @Test func `what speaks no TLS gets no answer, and others are served still`() async throws {
        let made = try TestCertificate(for: "localhost")
        defer { made.remove() }
        let files = try Self.files(made)
        let certificate = try AdminCertificate(chain: files.chain, key: files.key)
        try await withServer(.fixed(), certificate: certificate) { port in
            let plain = try? await TestClient.exchange("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", port: port)
            #expect(!String(decoding: plain ?? [], as: UTF8.self).contains("200"))
            let answer = try await Self.health(port: port, trusting: made)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `a certificate that cannot be used changes nothing`() throws {
        let first = try TestCertificate(for: "localhost")
        let second = try TestCertificate(for: "localhost")
        defer {
            first.remove()
            second.remove()
        }
        let files = try Self.files(first)
        let certificate = try AdminCertificate(chain: files.chain, key: files.key)
        let other = try Self.files(second)
        for (chain, key) in [([], other.key), (Array("no PEM".utf8), other.key), (files.chain, other.key)] {
            #expect(throws: AdminCertificate.Problem.self) { try certificate.replace(chain: chain, key: key) }
        }
        #expect(try !certificate.replace(chain: files.chain, key: files.key))
    }
}
