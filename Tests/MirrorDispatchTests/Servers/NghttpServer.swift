// Wingmirror · Apache-2.0

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
        let port = try await freePort()
        let process = Process()
        process.executableURL = URL(filePath: program)
        let files = ["server.key", "server.pem"].map { folder.appending(path: $0).path }
        process.arguments = ["-a", address, "-d", folder.path, String(port)] + files
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            // SIGTERM is ignored where a test before this one has trapped it: programs that are started inherit that.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        while process.isRunning, !(await isListening(port)) { await Task.yield() }
        try await body(port)
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
