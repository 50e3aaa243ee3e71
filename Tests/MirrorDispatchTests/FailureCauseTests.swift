// Wingmirror · Apache-2.0

import AnswerComparison
import Glibc
import NIOCore
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
}
