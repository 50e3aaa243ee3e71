// Wingmirror · Apache-2.0

/// Waiting that counts only the time in which the agent itself ran.
///
/// A process that is throttled, starved or suspended finds its timers over when it runs again, beside answers that came
/// meanwhile and were not read: by the clock alone every target would have failed.
enum RunningTime {
    /// In how many parts a time is waited for; less than one of them is left of the longest standstill.
    private static let parts = 10

    /// Waits for a duration, and for as long again as the process stood still in the middle of it.
    ///
    /// - Parameters:
    ///   - duration: How long.
    ///   - parts: In how many parts.
    ///   - clock: What tells the time.
    ///   - passed: Is told each part once it is over.
    /// - Throws: `CancellationError` once the task is cancelled.
    static func wait<C: Clock>(
        for duration: Duration,
        in parts: Int = parts,
        on clock: C = ContinuousClock(),
        passed: @Sendable (Duration) -> Void = { _ in }
    ) async throws where C.Duration == Duration {
        // How late one part ends is not taken off the next.
        for _ in 0..<parts {
            try await clock.sleep(until: clock.now.advanced(by: duration / parts), tolerance: nil)
            passed(duration / parts)
        }
    }

    /// In how many parts to wait, so that it shows whether the process stood still within a limit that is shorter.
    static func parts(of duration: Duration, within limit: Duration) -> Int {
        Int(min(10, max(1, duration / limit))) * parts
    }

    /// Whether the process stood still for more than a tenth of a limit that passed by the clock.
    ///
    /// - Parameters:
    ///   - elapsed: How long it was by the clock.
    ///   - ran: The parts that were over.
    ///   - part: How long one is; the one that was not over yet may have run too.
    ///   - limit: The limit.
    /// - Returns: Whether more than that is missing.
    static func stoodStill(for elapsed: Duration, having ran: Duration, part: Duration, limit: Duration) -> Bool {
        elapsed >= limit && elapsed - ran > part + limit / parts
    }
}
