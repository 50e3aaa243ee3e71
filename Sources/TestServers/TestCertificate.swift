// Wingmirror · Apache-2.0

import ChildProcesses
package import Foundation
package import NIOSSL

/// A certificate authority and a certificate of it, made by openssl for one test.
package struct TestCertificate: Sendable {
    /// Whether openssl is there to make certificates.
    package static let canBeMade = FileManager.default.isExecutableFile(atPath: openssl)
    private static let openssl = "/usr/bin/openssl"

    /// The folder of the files; the test removes it.
    package let folder: URL

    /// The authority's certificate, as clients trust it.
    package var authority: String { folder.appending(path: "authority.pem").path }

    /// Makes a certificate for a name, and for an IPv4 address.
    package init(for name: String, address: String? = "127.0.0.1") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "wingmirror-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try run(
            ["req", "-x509"] + key + [
                "-keyout", "authority.key", "-out", "authority.pem", "-subj", "/CN=test", "-days", "2",
            ]
        )
        try run(["req"] + key + ["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=\(name)"])
        try "subjectAltName=DNS:\(name)\(address.map { ",IP:\($0)" } ?? "")".write(
            to: folder.appending(path: "names"),
            atomically: true,
            encoding: .utf8
        )
        try run(
            ["x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"]
                + ["-out", "server.pem", "-days", "2", "-extfile", "names"]
        )
    }

    /// Removes the files.
    package func remove() {
        try? FileManager.default.removeItem(at: folder)
    }

    /// What a server needs to prove the name.
    package func serverConfiguration() throws -> TLSConfiguration {
        let certificates = try NIOSSLCertificate.fromPEMFile(folder.appending(path: "server.pem").path)
        let key = try NIOSSLPrivateKey(file: folder.appending(path: "server.key").path, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.applicationProtocols = ["h2", "http/1.1"]
        return configuration
    }

    private func run(_ arguments: [String]) throws {
        let program = try ChildProcess([Self.openssl] + arguments, in: folder.path)
        guard program.waitUntilExit() == 0 else { throw Failure(arguments: arguments) }
    }

    private struct Failure: Error {
        let arguments: [String]
    }
}
