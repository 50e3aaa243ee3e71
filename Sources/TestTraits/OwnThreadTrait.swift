// Wingmirror · Apache-2.0

import TestSupport
package import Testing

/// Lets each test run on a thread of its own rather than on the threads that all tests share.
package struct OwnThreadTrait: TestTrait, SuiteTrait, TestScoping {
    /// Holds for each test of a suite.
    package var isRecursive: Bool { true }

    /// Runs a test on its thread.
    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        // `function` is concurrent, so that it begins on the thread, not where this was called.
        try await withTaskExecutorPreference(OwnThread()) { try await function() }
    }
}

extension Trait where Self == OwnThreadTrait {
    /// For tests that compute for seconds without waiting for anything.
    package static var heavy: Self { OwnThreadTrait() }
}
