// Wingmirror · Apache-2.0

internal import AnswerComparison
import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import ShadowTesting

extension ShadowFailure {
    /// The failure that an error of the client means.
    init(cause error: any Error) {
        self =
            switch error {
            case let failure as ShadowFailure: failure
            case is CancellationError: .cancelled
            case let error as HTTPClientError: Self.kind(of: error)
            case let error as NIOConnectionError:
                error.connectionErrors.contains { Self.isOfTheAgent($0.error) } ? .cancelled : .connect
            case ChannelError.connectTimeout: .connect
            case let error as IOError: Self.kind(ofSystemError: error.errnoCode)
            case HTTPParserError.invalidEOFState: .reset
            case is HTTPParserError: .malformed
            case is NIOHTTP2Errors.StreamClosed, is NIOHTTP2Errors.CreatedStreamAfterGoaway: .reset
            case is NIOHTTP2Errors.IOOnClosedConnection, is NIOHTTP2Errors.StreamError: .reset
            // The target speaks something else, or breaks the rules of HTTP/2.
            case is any NIOHTTP2Error: .malformed
            case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: .tls
            // What remains are the ways in which a connection, or a stream of HTTP/2, can end too early.
            default: .reset
            }
    }

    /// Whether the target itself said so: it refused the connection, or sent in the handshake what is not agreed to.
    ///
    /// Whoever reads that late knows it all the same.
    static func isSaidByTarget(_ error: any Error) -> Bool {
        switch error {
        case let error as NIOConnectionError:
            !error.connectionErrors.isEmpty && error.connectionErrors.allSatisfy { isSaidByTarget($0.error) }
        case let error as IOError: error.errnoCode == ECONNREFUSED
        case let error as NIOSSLExtraError: error == .failedToValidateHostname
        case let error as NIOSSLError:
            switch error {
            case .handshakeFailed(let reason): isSaidByTarget(reason)
            case .unableToValidateCertificate: true
            default: false
            }
        // A target ends a handshake that takes too long.
        case BoringSSLError.sslError(let reasons): !reasons.isEmpty && !reasons.contains(.eofDuringHandshake)
        default: false
        }
    }

    /// What it is where the agent itself stood still for the time that a connection is given, its handshake included.
    ///
    /// Whoever was not running when it came about finds its time over. What the target said is not meant.
    var afterStandstill: ShadowFailure {
        switch self {
        case .connect, .tls: .cancelled
        case .timeout, .reset, .malformed, .cancelled: self
        }
    }

    /// Why TLS failed, as the end of a sentence, with the library's own words behind it.
    static func handshakeProblem(_ error: any Error) -> String {
        let words = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
        let reason: String
        if words.contains("CERTIFICATE_VERIFY_FAILED") || words.contains("unableToValidateCertificate") {
            reason = "no authority that is trusted here vouches for the target's certificate; name one with --ca-file"
        } else if (error as? NIOSSLExtraError) == .failedToValidateHostname {
            reason = "the target's certificate is of another name"
        } else if words.contains("WRONG_VERSION_NUMBER") {
            reason = "the target speaks no TLS"
        } else {
            reason = "the target does not agree to it"
        }
        return "\(reason) (\(words))"
    }

    private static func kind(of error: HTTPClientError) -> ShadowFailure {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout: .connect
        case .tlsHandshakeTimeout: .tls
        case .readTimeout, .writeTimeout, .deadlineExceeded: .timeout
        case .cancelled, .alreadyShutdown: .cancelled
        default:
            // An error with a value is known by its short description only.
            error.shortDescription.contains("protocol") ? .tls : .reset
        }
    }

    /// Whether the agent has run out of descriptors, ports or memory, which is no failure of the target's.
    private static func isOfTheAgent(_ error: any Error) -> Bool {
        (error as? IOError).map { kind(ofSystemError: $0.errnoCode) == .cancelled } ?? false
    }

    private static func kind(ofSystemError code: CInt) -> ShadowFailure {
        switch code {
        case EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM: .cancelled
        case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN, ETIMEDOUT: .connect
        default: .reset
        }
    }
}
