// Wingmirror · Apache-2.0

/// How many insertions may have been missed: a set of numbers from 0 to 127, where 127 stands for any number above too.
struct ShiftSet: Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// Nothing was missed.
    static let zero = ShiftSet(upTo: 0)

    /// The number that stands for itself and all above: nothing that was there before can be referred to any more.
    ///
    /// A table of 4,096 octets holds 124 entries at most, since a name has an octet; in a larger one what lies so deep
    /// is given up.
    static let everything = 127

    /// All numbers up to `most`, and `everything` if it is above.
    init(upTo most: Int) {
        for shift in 0...min(most, Self.everything) { insert(shift) }
    }

    /// No number.
    private init() {}

    /// One number alone.
    init(only shift: Int) {
        insert(shift)
    }

    private mutating func insert(_ shift: Int) {
        if shift < 64 { low |= 1 << UInt64(shift) } else { high |= 1 << UInt64(shift - 64) }
    }

    /// The sums of each number, `count`, and any number up to `most`; those above ``everything`` are that.
    func moved(by count: Int, upTo most: Int) -> ShiftSet {
        var sums = ShiftSet()
        var shift = first
        while let number = shift {
            let lowest = number + count
            for sum in min(lowest, Self.everything)...min(lowest + most, Self.everything) { sums.insert(sum) }
            shift = next(from: number + 1)
        }
        return sums
    }

    mutating func remove(_ shift: Int) {
        if shift < 64 { low &= ~(1 << UInt64(shift)) } else { high &= ~(1 << UInt64(shift - 64)) }
    }

    func contains(_ shift: Int) -> Bool {
        (shift < 64 ? low >> UInt64(shift) : high >> UInt64(shift - 64)) & 1 == 1
    }

    /// How many numbers the set has.
    var count: Int { low.nonzeroBitCount + high.nonzeroBitCount }

    /// The least number; `nil` of the empty set.
    var first: Int? { next(from: 0) }

    /// The least number that is `shift` or above.
    func next(from shift: Int) -> Int? {
        guard shift < 128 else { return nil }
        if shift < 64 {
            let rest = (low >> UInt64(shift)) << UInt64(shift)
            if rest != 0 { return rest.trailingZeroBitCount }
        }
        let from = UInt64(max(0, shift - 64))
        let rest = (high >> from) << from
        return rest == 0 ? nil : 64 + rest.trailingZeroBitCount
    }
}
