// Wingmirror · Apache-2.0

extension Int64 {
    /// The time that lies so much later, in nanoseconds; the end of time when there is none.
    public func advanced(by duration: Duration) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(duration.nanoseconds)
        return overflows ? .max : sum
    }
}
