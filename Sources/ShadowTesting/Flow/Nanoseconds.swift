// Wingmirror · Apache-2.0

extension Duration {
    /// The duration in whole nanoseconds, the unit of all times here; what does not fit is the nearest that does.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflows else { return seconds < 0 ? .min : .max }
        let (sum, isBeyond) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isBeyond ? (seconds < 0 ? .min : .max) : sum
    }
}

extension Int64 {
    /// The time that lies so much later, in nanoseconds; the end of time when there is none.
    func advanced(by duration: Duration) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(duration.nanoseconds)
        return overflows ? .max : sum
    }
}
