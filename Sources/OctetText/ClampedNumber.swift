// Wingmirror · Apache-2.0

extension FixedWidthInteger {
    /// The whole number nearest to one that came from outside; the nearest there is where that is too large, 0 for no number.
    ///
    /// The ordinary initializer traps on what does not fit, and JSON can say `1e300`.
    public init(clamped value: Double) {
        guard !value.isNaN else {
            self = 0
            return
        }
        let rounded = value.rounded()
        self = Self(exactly: rounded) ?? (rounded < 0 ? .min : .max)
    }
}
