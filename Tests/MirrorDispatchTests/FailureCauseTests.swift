// Wingmirror · Apache-2.0

import AnswerComparison
import Glibc
import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@testable import MirrorDispatch

@Suite struct FailureCauseTests {
    @Test(arguments: [EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS])
    func `what the agent itself has no more of is no failure of the target`(code: CInt) {
        let error = IOError(errnoCode: code, reason: "socket")
        #expect(ShadowFailure(cause: error) == .cancelled)
    }

    @Test(arguments: [ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT])
    func `a target that cannot be reached is one`(code: CInt) {
        #expect(ShadowFailure(cause: IOError(errnoCode: code, reason: "connect")) == .connect)
    }

    @Test(arguments: ShadowFailure.allCases)
    func `a connection or handshake whose time was over while the agent stood still is none`(failure: ShadowFailure) {
        let isOfConnection = [.connect, .tls].contains(failure)
        #expect(failure.afterStandstill == (isOfConnection ? .cancelled : failure))
    }

    @Test func `a handshake that the target does not agree to is its failure, however late it is read`() throws {
        let context = try NIOSSLContext(configuration: .makeClientConfiguration())
        let channel = EmbeddedChannel(handler: try NIOSSLClientHandler(context: context, serverHostname: nil))
        try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 443)).wait()
        let error = #expect(throws: (any Error).self) {
            try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
        }
        #expect(ShadowFailure.isSaidByTarget(try #require(error)))
        #expect(ShadowFailure.isSaidByTarget(NIOSSLExtraError.failedToValidateHostname))
        #expect(ShadowFailure.isSaidByTarget(NIOSSLError.unableToValidateCertificate))
    }

    @Test func `a connection is refused by the target, and a handshake that ends may have taken too long`() {
        #expect(ShadowFailure.isSaidByTarget(IOError(errnoCode: ECONNREFUSED, reason: "connect")))
        #expect(!ShadowFailure.isSaidByTarget(IOError(errnoCode: ETIMEDOUT, reason: "connect")))
        #expect(!ShadowFailure.isSaidByTarget(ChannelError.connectTimeout(.seconds(3))))
        #expect(!ShadowFailure.isSaidByTarget(NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake]))))
    }
}
