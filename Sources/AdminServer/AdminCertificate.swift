// Wingmirror · Apache-2.0

import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificate that the endpoints are served with, which can be replaced while they are.
///
/// A connection keeps the certificate that it began with; the next one gets the newest.
public final class AdminCertificate: Sendable {
    /// The certificate and its key cannot be used.
    public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        /// Why, in one sentence.
        public let description: String
    }

    private let state: Mutex<State>

    private struct State: Sendable {
        var chain: [UInt8]
        var key: [UInt8]
        var context: NIOSSLContext
    }

    /// Takes a certificate.
    ///
    /// - Parameters:
    ///   - chain: The certificate and those that lead to its authority, as PEM.
    ///   - key: The private key, as PEM.
    /// - Throws: What keeps them from being used.
    public init(chain: [UInt8], key: [UInt8]) throws(Problem) {
        state = Mutex(State(chain: chain, key: key, context: try Self.context(chain, key)))
    }

    /// Takes another certificate in its place; what cannot be used changes nothing.
    ///
    /// - Returns: Whether it is another one.
    /// - Throws: What keeps it from being used.
    @discardableResult
    public func replace(chain: [UInt8], key: [UInt8]) throws(Problem) -> Bool {
        guard state.withLock({ $0.chain != chain || $0.key != key }) else { return false }
        let fresh = State(chain: chain, key: key, context: try Self.context(chain, key))
        state.withLock { $0 = fresh }
        return true
    }

    /// What connections that begin now are made with.
    var context: NIOSSLContext { state.withLock { $0.context } }

    private static func context(_ chain: [UInt8], _ key: [UInt8]) throws(Problem) -> NIOSSLContext {
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(chain)
            guard !certificates.isEmpty else { throw Problem(description: "the certificate file holds no certificate") }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            )
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(description: "the certificate or its key cannot be used: \(error)")
        }
    }
}

/// Connections that speak TLS before anything else.
struct SecuredChannel<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    /// What is spoken inside.
    let base: Base
    /// The certificate, asked at each connection.
    let certificate: AdminCertificate

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
