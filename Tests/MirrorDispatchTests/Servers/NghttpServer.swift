// Wingmirror · Apache-2.0

import ChildProcesses
import Foundation
import NIOCore
import NIOPosix
import TestServers

/// nghttpd, which serves the files of a folder and speaks nothing but HTTP/2.
enum NghttpServer {
    private static let program = "/usr/sbin/nghttpd"
    /// Whether it is installed.
    static let exists = FileManager.default.isExecutableFile(atPath: program)

    /// Where it listens, and no other test does: a port that is free stays free until it is taken.
    static let address = "127.0.0.3"

    /// Runs it with one file for as long as `body` takes.
    static func with(
        _ certificate: TestCertificate,
        serving file: String,
        _ content: String,
        _ body: (_ port: Int) async throws -> Void
    ) async throws {
        let folder = certificate.folder
        try content.write(to: folder.appending(path: file), atomically: true, encoding: .utf8)
        for _ in 0..<attempts {
            let port = try await freePort()
            let process = try start(in: folder, port)
            defer { process.end() }
            while process.isRunning, !Task.isCancelled, !(await isListening(port)) { await Task.yield() }
            // What listens is another program where this one has ended: the port was taken in between.
            guard process.isRunning else { continue }
            return try await body(port)
        }
        throw Unavailable()
    }

    /// It could not be started.
    struct Unavailable: Error {}

    /// How many ports are tried.
    private static let attempts = 10

    private static func start(in folder: URL, _ port: Int) throws -> ChildProcess {
        let files = ["server.key", "server.pem"].map { folder.appending(path: $0).path }
        return try ChildProcess([program, "-a", address, "-d", folder.path, String(port)] + files)
    }

    /// A port that nothing has at this moment; nghttpd cannot be asked to choose one.
    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: address, port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }

    private static func isListening(_ port: Int) async -> Bool {
        let connecting = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: address, port: port)
        guard let channel = try? await connecting.get() else { return false }
        try? await channel.close()
        return true
    }
}
