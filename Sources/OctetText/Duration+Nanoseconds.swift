// Wingmirror · Apache-2.0

extension Duration {
    /// The duration in whole nanoseconds, rounded towards zero; what does not fit is the nearest that does.
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflows else { return seconds < 0 ? .min : .max }
        // Both parts have the same sign, so the sum leaves the range only where the duration does.
        let (sum, isBeyond) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isBeyond ? (seconds < 0 ? .min : .max) : sum
    }
}
