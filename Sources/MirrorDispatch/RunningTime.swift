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
    /// - Throws: `CancellationError` once the task is cancelled.
    static func wait<C: Clock>(for duration: Duration, on clock: C = ContinuousClock()) async throws
    where C.Duration == Duration {
        // How late one part ends is not taken off the next.
        for _ in 0..<parts {
            try await clock.sleep(until: clock.now.advanced(by: duration / parts), tolerance: nil)
        }
    }
}
